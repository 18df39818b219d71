import { InternalError } from '../config/errors.js'
import { fileNameOf } from '../config/file-name.js'
import type { Evidence } from '../journal/events.js'
import type { ModuleCode, Suite } from '../plan/suite.js'
import type { PlannedTest } from '../plan/types.js'
import { judge } from '../results/judge.js'
import { environmentFor } from './api-environment.js'
import { guestFor } from './api-guest.js'
import { hostFor } from './api-host.js'
import type { EvidenceFile } from './evidence.js'
import { type ModuleFacts, runAttempt } from './modules/attempt.js'
import { CallServer } from './modules/call-server.js'
import { confirmGuest } from './modules/confirm.js'
import { observedOf } from './modules/observed.js'
import { type Outcome, troubleOf } from './outcome.js'
import type { GuestSession } from './session.js'
import type { RunSettings } from './settings.js'

/** Runs a test module against the guest, in a process of its own. Throws only when the run is stopped. */
export async function runModule(
  session: GuestSession,
  test: PlannedTest,
  suite: Suite,
  attempt: number,
  settings: RunSettings,
): Promise<Outcome> {
  const { stop } = settings
  const name = `${fileNameOf(test.id)}.${attempt}`
  const files = {
    commands: session.source.evidence(`${name}.commands.txt`),
    stdout: session.source.evidence(`${name}.stdout.txt`),
    stderr: session.source.evidence(`${name}.stderr.txt`),
  }
  let evidence: Evidence[] | null = null
  try {
    const facts = await observe(session, test, suite, files, settings)
    stop.throwIfAborted()
    const { seen, spoilt, trouble } = observedOf(facts)
    // A reboot that was asked for and not seen has closed its connection itself: that is no loss.
    const isUnprovenReboot = trouble?.context.code === 'reboot'
    const loss = isUnprovenReboot ? null : await confirmGuest(session, stop)
    stop.throwIfAborted()
    evidence = await closeAll(files)
    const { checks, measures } = facts
    const judgement = judge(loss === null ? seen : { ...seen, loss: troubleOf(loss) })
    const outcome = { ...judgement, checks, measures, evidence, spoilt: spoilt || loss !== null }
    const mended = loss ?? trouble
    const hasTrouble =
      mended !== undefined && outcome.verdict === 'error' && outcome.cause === mended.context.cause
    return hasTrouble && outcome.cause !== 'unknown' ? { ...outcome, trouble: mended } : outcome
  } finally {
    if (evidence === null) await closeAll(files)
  }
}

type Files = Readonly<Record<'commands' | 'stdout' | 'stderr', EvidenceFile>>

async function observe(
  session: GuestSession,
  test: PlannedTest,
  suite: Suite,
  files: Files,
  { modules, stop, inspect }: RunSettings,
): Promise<ModuleFacts> {
  const { environment, health, limits } = session.source
  const calls = new AbortController()
  const guest = guestFor(session, test, files.commands, calls.signal)
  const host = hostFor(session, calls.signal, test)
  const units = suite.tests.find(({ id }) => id === test.id)?.measures ?? {}
  const process = modules.take()
  let endedWell = false
  try {
    const facts = await runAttempt({
      process,
      start: {
        test: test.id,
        code: codeOf(suite, test),
        environment: environmentFor(environment),
        values: { guest: valuesOf(guest), host: valuesOf(host) },
        measures: Object.keys(units),
        endMs: limits.moduleEnd,
        inspect: inspect !== undefined,
      },
      units,
      limits: {
        start: inspect === undefined ? limits.moduleStart : Number.POSITIVE_INFINITY,
        test: inspect === undefined ? test.limitMs : Number.POSITIVE_INFINITY,
        memory: limits.moduleMemory,
        stop: limits.moduleEnd,
      },
      stop,
      broken: health.broken,
      serve: ({ reply }) => new CallServer({ guest, host }, environment.guest.family, reply),
      output: (stream, bytes) => void files[stream].write(bytes),
      debuggerAt: url => inspect?.(test.id, url),
      abortCalls: reason => calls.abort(reason),
    })
    endedWell = facts.thread?.kind === 'thread' && inspect === undefined
    return facts
  } finally {
    modules.giveBack(process, endedWell)
  }
}

/** The plain properties of what the API shows; its methods are carried out here. */
function valuesOf(object: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => typeof value !== 'function'))
}

function codeOf(suite: Suite, test: PlannedTest): ModuleCode {
  const code = suite.modules.get(test.file)
  if (code === undefined) {
    throw new InternalError(`${suite.manifest}: ${test.file} was not compiled`)
  }
  return code
}

async function closeAll(files: Files): Promise<Evidence[]> {
  const closed = await Promise.all(Object.values(files).map(file => file.close()))
  return closed.filter(file => file !== null)
}
