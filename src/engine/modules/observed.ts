import { InfraError } from '../../config/errors.js'
import { formatSize } from '../../config/units.js'
import { describeCheck } from '../../results/check-message.js'
import type { Ending, Observed } from '../../results/observed.js'
import { countChecks, troubleOf } from '../outcome.js'
import type { ModuleFacts } from './attempt.js'
import { describeError } from './wire-error.js'

/** An attempt of a module, as the table of verdicts wants to know it. */
export interface ModuleObserved {
  readonly seen: Observed
  /** The instance can serve no further test. */
  readonly spoilt: boolean
  /** Trouble that ended it, and that a new instance may mend. */
  readonly trouble?: InfraError
}

/** Says what was observed of a module in the words of the table of verdicts. */
export function observedOf(facts: ModuleFacts): ModuleObserved {
  const { checks, hasBegun, said } = facts
  const trouble = troubleIn(facts)
  const returned = said?.kind === 'returned' ? said : null
  const improper = returned === null ? null : improperEnd(facts, returned.checks)
  const seen: Observed = {
    by: 'module',
    beginning: hasBegun ? { kind: 'seen' } : { kind: 'missing', printed: '' },
    ending: endingOf(facts, trouble),
    output: 'whole',
    report: { kind: 'sound' },
    held: countChecks(checks).ok,
    failed: checks.flatMap(({ state, text, diagnostics }) =>
      state === 'not-ok' ? [describeCheck(text, diagnostics)] : [],
    ),
    unfinished: returned?.unfinished ?? 0,
    inFlight: returned?.inFlight ?? [],
    ...(improper === null ? {} : { improperEnd: improper }),
  }
  const spoilt = trouble !== null && trouble.context.code !== 'command'
  return trouble === null ? { seen, spoilt } : { seen, spoilt, trouble }
}

/** Trouble of guest, host or network that a call or the limit ended the module with; not its own faults. */
function troubleIn({ interruption, said }: ModuleFacts): InfraError | null {
  if (said?.kind === 'threw') {
    return said.infra
  }
  const { error, isWaiting } =
    interruption?.kind === 'limit' ? interruption : { error: null, isWaiting: false }
  const isOwn = error instanceof InfraError && error.context.limit === 'test' && !isWaiting
  const isTrouble = error instanceof InfraError && !isOwn
  return said === null && isTrouble ? error : null
}

function endingOf(facts: ModuleFacts, trouble: InfraError | null): Ending {
  const { said } = facts
  if (trouble !== null) {
    return { kind: 'threw', ...troubleOf(trouble) }
  }
  switch (said?.kind) {
    case 'returned':
      return { kind: 'returned' }
    case 'skipped':
      return { kind: 'skipped', reason: said.reason }
    case 'threw':
      return { kind: 'threw', cause: 'test', message: describeError(said.error) }
    default: {
      const cause = facts.thread?.kind === 'unstarted' ? 'runner' : 'test'
      return { kind: 'threw', cause, message: `the module did not return: ${howItEnded(facts)}` }
    }
  }
}

/** What stands against the end of a module that returned; `null` when its thread ended by itself, with nothing left. */
function improperEnd(facts: ModuleFacts, told: number): string | null {
  const { checks, idleAt, interruption, late, thread } = facts
  if (late.length > 0) {
    return `after the module had returned (is an "await" missing?): ${late.join(', ')}`
  }
  if (interruption?.kind === 'lingers') {
    const what = interruption.resources.length === 0 ? 'it is busy' : interruption.resources.join(', ')
    return `the module returned, but its thread does not end (limit: moduleEnd): ${what}`
  }
  if (idleAt === null || thread?.kind !== 'thread' || thread.code !== 0) {
    return `after the module had returned, ${howItEnded(facts)}`
  }
  return told === checks.length && idleAt === checks.length
    ? null
    : `the module made ${idleAt} checks, and ${checks.length} were received`
}

/** Node's status for a thread that has nothing left to do while its body still waits. */
const unsettledStatus = 13

function howItEnded({ interruption, thread }: ModuleFacts): string {
  if (interruption?.kind === 'limit') {
    const { error } = interruption
    const message = error instanceof Error ? error.message : String(error)
    return `${message}; it was waiting for nothing of the guest or its host`
  }
  switch (thread?.kind) {
    case 'thread':
      return thread.error === null ? ownEnd(thread.code) : uncaught(thread.error)
    case 'memory':
      return `its process took ${formatSize(thread.bytes)} of memory (limit: moduleMemory)`
    case 'died':
      return `its process ended with ${thread.signal ?? `status ${thread.code}`}`
    case 'garbled':
      return `its process could not be understood any more: ${thread.message}`
    case 'unstarted':
      return `its process could not be started: ${thread.message}`
    default:
      return 'its thread was ended'
  }
}

function ownEnd(status: number): string {
  return status === unsettledStatus
    ? 'it waits for something that never comes'
    : `its thread ended with status ${status} (process.exit?)`
}

function uncaught(error: Parameters<typeof describeError>[0]): string {
  return error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? 'its thread ran out of memory (limit: moduleMemory)'
    : `an error was thrown that nothing caught: ${describeError(error)}`
}
