import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createExpect } from '../api/expect.js'
import { isTestModule, type TestContext, type TestModule } from '../api/test.js'
import { InfraError } from '../config/errors.js'
import type { Measure } from '../journal/events.js'
import type { Suite } from '../plan/suite.js'
import type { PlannedTest } from '../plan/types.js'
import { environmentFor } from './api-environment.js'
import { guestFor } from './api-guest.js'
import { hostFor } from './api-host.js'
import { withLimit } from './limit.js'
import { loadModule } from './load-module.js'
import type { Outcome, SeenCheck } from './outcome.js'
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
  const log = session.source.evidence(`${test.id.replace('/', '.')}.${attempt}.commands.txt`)
  const { expect, unfinished } = createExpect(check => checks.push(check))
  const units = suite.tests.find(({ id }) => id === test.id)?.measures ?? {}
  const finish = async (said: Said): Promise<Outcome> => {
    const file = await log.close()
    return { checks, measures, evidence: file === null ? [] : [file], ...settle(said, checks, unfinished()) }
  }
  try {
    const module = await readModule(suite, test)
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
    return await finish({ kind: 'returned' })
  } catch (error) {
    stop.throwIfAborted()
    return finish(await describeThrown(error, session, stop))
  }
}

type Said =
  | { readonly kind: 'returned' }
  | { readonly kind: 'skipped'; readonly reason: string }
  | {
      readonly kind: 'broke'
      readonly outcome: Pick<Outcome, 'verdict' | 'cause' | 'reason' | 'spoilt' | 'trouble'>
    }

async function describeThrown(error: unknown, session: GuestSession, stop: AbortSignal): Promise<Said> {
  if (error instanceof Skipped) {
    return { kind: 'skipped', reason: error.message }
  }
  // A reboot that was asked for and not seen has closed its connection itself: that is no loss.
  const isUnprovenReboot = error instanceof InfraError && error.context.code === 'reboot'
  if (!isUnprovenReboot && session.machine.lost.aborted && session.expected.current() === null) {
    const { verdict, error: loss } = await diagnoseLoss(session, stop)
    const trouble = verdict === 'error' ? { trouble: loss } : {}
    return {
      kind: 'broke',
      outcome: { verdict, cause: loss.context.cause, reason: loss.message, spoilt: true, ...trouble },
    }
  }
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof InfraError) {
    const { cause, code } = error.context
    // A reboot that cannot be proven, or a guest that does not come back, is the guest's failure.
    const verdict = cause === 'guest' ? 'fail' : 'error'
    const outcome = { verdict, cause, reason: message, spoilt: code !== 'command' } as const
    return {
      kind: 'broke',
      outcome: verdict === 'error' && cause !== 'unknown' ? { ...outcome, trouble: error } : outcome,
    }
  }
  return { kind: 'broke', outcome: { verdict: 'error', cause: 'test', reason: message, spoilt: false } }
}

/** The first rule that fits decides; only the last is a pass. An observed failed check outranks all. */
function settle(
  said: Said,
  checks: readonly SeenCheck[],
  unfinished: number,
): Pick<Outcome, 'verdict' | 'cause' | 'reason' | 'spoilt' | 'trouble'> {
  const spoilt = said.kind === 'broke' && said.outcome.spoilt
  const failed = checks.find(({ state }) => state === 'not-ok')
  if (failed !== undefined) {
    return { verdict: 'fail', cause: 'guest', reason: failed.text, spoilt }
  }
  if (said.kind === 'broke') {
    return said.outcome
  }
  if (said.kind === 'skipped') {
    return checks.length === 0
      ? { verdict: 'skip', cause: 'guest', reason: said.reason, spoilt }
      : {
          verdict: 'error',
          cause: 'test',
          reason: `it skipped after ${checks.length} checks: ${said.reason}`,
          spoilt,
        }
  }
  if (unfinished > 0) {
    return {
      verdict: 'error',
      cause: 'test',
      reason: `${unfinished} values were given to expect and not asked about`,
      spoilt,
    }
  }
  if (checks.length === 0) {
    return { verdict: 'error', cause: 'test', reason: 'the module returned without a check', spoilt }
  }
  return { verdict: 'pass', reason: '', spoilt }
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
