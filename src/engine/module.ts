import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createExpect } from '../api/expect.js'
import { isTestModule, type TestContext, type TestModule } from '../api/test.js'
import { InfraError } from '../config/errors.js'
import { fileNameOf } from '../config/file-name.js'
import type { Measure } from '../journal/events.js'
import type { Suite } from '../plan/suite.js'
import type { PlannedTest } from '../plan/types.js'
import { judge } from '../results/judge.js'
import type { Ending, LaterFacts } from '../results/observed.js'
import { environmentFor } from './api-environment.js'
import { guestFor } from './api-guest.js'
import { hostFor } from './api-host.js'
import { withLimit } from './limit.js'
import { loadModule } from './load-module.js'
import { countChecks, type Outcome, type SeenCheck, troubleOf } from './outcome.js'
import { diagnoseLoss, type GuestSession } from './session.js'

/** Thrown by `skip`, and by nothing else. */
class Skipped extends Error {
  override readonly name = 'Skipped'
}

/** Runs a test module against the guest. Throws only when the run is stopped. */
export async function runModule(
  session: GuestSession,
  test: PlannedTest,
  suite: Suite,
  attempt: number,
  stop: AbortSignal,
): Promise<Outcome> {
  const checks: SeenCheck[] = []
  const measures: Record<string, Measure> = {}
  const log = session.source.evidence(`${fileNameOf(test.id)}.${attempt}.commands.txt`)
  const { expect, unfinished } = createExpect(check => checks.push(check))
  const units = suite.tests.find(({ id }) => id === test.id)?.measures ?? {}
  let hasBegun = false
  const finish = async ({ ending, later = {}, spoilt = false, trouble }: Said): Promise<Outcome> => {
    const file = await log.close()
    const judgement = judge({
      by: 'module',
      beginning: hasBegun ? { kind: 'seen' } : { kind: 'missing', printed: '' },
      ending,
      output: 'whole',
      report: { kind: 'sound' },
      held: countChecks(checks).ok,
      failed: checks.flatMap(({ state, text }) => (state === 'not-ok' ? [text] : [])),
      unfinished: unfinished(),
      ...later,
    })
    const outcome = { ...judgement, checks, measures, evidence: file === null ? [] : [file], spoilt }
    const hasTrouble = trouble !== undefined && outcome.verdict === 'error' && outcome.cause !== 'unknown'
    return hasTrouble ? { ...outcome, trouble } : outcome
  }
  try {
    const module = await readModule(suite, test)
    hasBegun = true
    const also = session.source.health.broken
    const limit = { name: 'test', ms: test.limitMs, where: test.id, signal: stop, also }
    await withLimit(limit, signal => {
      const context: TestContext = {
        guest: guestFor(session, test, log, signal),
        host: hostFor(session, signal, test),
        environment: environmentFor(session.source.environment),
        expect,
        signal,
        measure: (name, value) => {
          measures[name] = measureOf(name, value, units)
        },
        skip: reason => {
          throw new Skipped(reason)
        },
      }
      return module.body(context)
    })
    return await finish({ ending: { kind: 'returned' } })
  } catch (error) {
    stop.throwIfAborted()
    return finish(await describeThrown(error, session, stop))
  }
}

/** How a module's body ended, and what was found out about it. */
interface Said {
  readonly ending: Ending
  readonly later?: LaterFacts
  readonly spoilt?: boolean
  /** Trouble that a new instance may mend, if the verdict comes to an error. */
  readonly trouble?: InfraError
}

async function describeThrown(error: unknown, session: GuestSession, stop: AbortSignal): Promise<Said> {
  if (error instanceof Skipped) {
    return { ending: { kind: 'skipped', reason: error.message } }
  }
  // A reboot that was asked for and not seen has closed its connection itself: that is no loss.
  const isUnprovenReboot = error instanceof InfraError && error.context.code === 'reboot'
  if (!isUnprovenReboot && session.machine.lost.aborted && session.expected.current() === null) {
    const { error: trouble } = await diagnoseLoss(session, stop)
    return { ending: { kind: 'lost' }, later: { loss: troubleOf(trouble) }, spoilt: true, trouble }
  }
  if (error instanceof InfraError) {
    const { code } = error.context
    return { ending: { kind: 'threw', ...troubleOf(error) }, spoilt: code !== 'command', trouble: error }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { ending: { kind: 'threw', cause: 'test', message } }
}

async function readModule(suite: Suite, test: PlannedTest): Promise<TestModule> {
  const compiled = suite.compiled.get(test.file)
  const exported =
    compiled === undefined
      ? await loadModule(join(suite.folder, test.file))
      : ((await import(pathToFileURL(compiled).href)) as { default?: unknown }).default
  if (!isTestModule(exported)) {
    throw new TypeError(`${suite.manifest}: ${test.file} does not export test(…) by default`)
  }
  return exported
}

function measureOf(name: string, value: number, units: Readonly<Record<string, string>>): Measure {
  const unit = units[name]
  if (unit === undefined) {
    throw new TypeError(`the manifest declares no measure "${name}"`)
  }
  if (!Number.isFinite(value)) {
    throw new TypeError(`the measure "${name}" is ${value}`)
  }
  return { value, unit }
}
