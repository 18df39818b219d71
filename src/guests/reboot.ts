import { InfraError } from '../config/errors.js'
import type { Limits } from '../config/limits.js'
import { deadlineSignal, inTime } from '../deadline/deadline.js'
import { untilAborted } from '../deadline/signals.js'
import type { Machine } from '../remote/machine.js'
import { type BootIdentity, provesReboot, readBootIdentity } from './boot-identity.js'

/** What is needed to reboot a guest and to know that it was. */
export interface RebootRequest {
  /** The connection of this moment. It is closed when it is of no more use. */
  readonly machine: Machine
  /** Connects anew, trying again while the guest boots, until the signal aborts. */
  readonly reconnect: (signal: AbortSignal) => Promise<Machine>
  readonly limits: Pick<Limits, 'reboot' | 'command'>
  readonly signal: AbortSignal
  /** Asks the guest to reboot; {@link rebootCommand} if absent. */
  readonly command?: string
  /** Reads the boot identity; {@link readBootIdentity} if absent. */
  readonly identify?: typeof readBootIdentity
}

/** A guest that was rebooted, and is connected again. */
export interface Rebooted {
  readonly machine: Machine
  readonly before: BootIdentity
  readonly after: BootIdentity
  /** From sending the command until the new identity was read. */
  readonly tookMs: number
  /** What proves it, in words. */
  readonly why: string
}

/** `shutdown` tells init on every Linux since the eighties; busybox has `reboot` alone. */
export const rebootCommand: string =
  'if command -v shutdown >/dev/null 2>&1;then exec shutdown -r now;else exec reboot;fi'

/** How often a guest that has not gone down yet is looked at. */
const lookEveryMs = 1_000
/** How long one look may take: a guest that goes down may hold a connection without answering. */
const lookLimitMs = 5_000

/**
 * Reboots a guest and returns a new connection to it when the reboot is proven. A connection that is made
 * before the guest went down proves nothing, and is used to wait until it does. Throws InfraError
 * (`reboot`) when the guest refused or `limits.reboot` was reached; errors of `reconnect` that no
 * retry can mend are thrown as they are.
 */
export async function reboot(request: RebootRequest): Promise<Rebooted> {
  const { limits, machine } = request
  const where = machine.label
  const limit = deadlineSignal({ name: 'reboot', ms: limits.reboot, where, signal: request.signal })
  const outcome = await carryOut(request, limit.signal).finally(limit.clear)
  if ('after' in outcome) {
    return outcome
  }
  if (request.signal.aborted) {
    const what = `${where}: the reboot was cancelled; ${outcome.why}`
    throw new InfraError(what, { cause: 'runner', where, code: 'cancelled' })
  }
  throw new InfraError(
    `${where}: no reboot was seen within the limit "reboot" of ${limits.reboot} ms: ${outcome.why}`,
    { cause: 'guest', where, code: 'reboot', limit: 'reboot' },
  )
}

async function carryOut(
  request: RebootRequest,
  signal: AbortSignal,
): Promise<Rebooted | { readonly why: string }> {
  const before = await identifyWith(request)(request.machine, { signal })
  const sentAt = performance.now()
  await askForReboot(request, signal)
  return untilProven({ request, before, sentAt, signal })
}

function identifyWith({ identify }: RebootRequest): typeof readBootIdentity {
  return identify ?? readBootIdentity
}

async function askForReboot({ machine, command, limits }: RebootRequest, signal: AbortSignal): Promise<void> {
  const { exit, stderr } = await machine.run(command ?? rebootCommand, { signal, limitMs: limits.command })
  // A status that never came, or a signal, is what a guest that goes down leaves.
  if (exit.kind === 'code' && exit.code !== 0) {
    const said = stderr.text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200)
    const what = `${machine.label}: the guest refused to reboot: status ${exit.code} ${said}`.trim()
    throw new InfraError(what, { cause: 'guest', where: machine.label, code: 'reboot' })
  }
}

interface Waiting {
  readonly request: RebootRequest
  readonly before: BootIdentity
  readonly sentAt: number
  readonly signal: AbortSignal
}

async function untilProven({
  request,
  before,
  sentAt,
  signal,
}: Waiting): Promise<Rebooted | { readonly why: string }> {
  let why = 'the guest did not go down'
  let machine: Machine | null = request.machine
  let isFresh = false
  while (!signal.aborted) {
    if (!isFresh) {
      await untilLost(machine, signal)
    }
    const after = machine === null ? null : await look(machine, identifyWith(request))
    if (machine === null || after === null) {
      await machine?.close()
      const reached = await reconnectOnce(request, signal)
      isFresh = !('why' in reached)
      machine = 'why' in reached ? null : reached
      why = 'why' in reached ? reached.why : 'the guest was reached again, but did not say who it is'
      continue
    }
    const proof = provesReboot(before, after, after.takenAtMs - sentAt)
    if (proof.proven) {
      return { machine, before, after, tookMs: after.takenAtMs - sentAt, why: proof.why }
    }
    isFresh = false
    why = proof.why
  }
  await machine?.close()
  return { why }
}

/** A new connection, or why there is none yet; throws what trying again cannot mend. */
async function reconnectOnce(
  { reconnect }: RebootRequest,
  signal: AbortSignal,
): Promise<Machine | { readonly why: string }> {
  try {
    return await reconnect(signal)
  } catch (error) {
    const code = error instanceof InfraError ? error.context.code : null
    if (!signal.aborted && (code === null || code === 'host-key' || code === 'authentication')) {
      throw error
    }
    return { why: error instanceof Error ? error.message : String(error) }
  }
}

/** The identity, or `null` when the connection does not give it in time. */
async function look(machine: Machine, identify: typeof readBootIdentity): Promise<BootIdentity | null> {
  if (machine.lost.aborted) {
    return null
  }
  const reading = identify(machine, { limitMs: lookLimitMs }).catch(() => null)
  const read = await inTime(reading, lookLimitMs)
  return read === 'late' ? null : read
}

/** Waits for the loss of a connection, or until it is time to look again. */
async function untilLost(machine: Machine | null, signal: AbortSignal): Promise<void> {
  await untilAborted(lookEveryMs, signal, ...(machine === null ? [] : [machine.lost]))
}
