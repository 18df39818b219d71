import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InternalError, UsageError } from '../config/errors.js'
import type { Host, Lab } from '../config/model.js'
import { packageVersion } from '../config/package-root.js'
import { machineName } from '../config/this-machine.js'
import type { History } from '../engine/estimate.js'
import { ModuleHosts } from '../engine/modules/hosts.js'
import { runPlan } from '../engine/run.js'
import type { Keep, RunSettings } from '../engine/settings.js'
import type { Driver } from '../hypervisors/driver.js'
import { openLeases } from '../hypervisors/lease.js'
import type { EventBody } from '../journal/events.js'
import { type ExitCode, exitCodeOf } from '../journal/exit.js'
import { openFold } from '../journal/fold.js'
import { journalFile } from '../journal/reader.js'
import type { RunState, TestState } from '../journal/state.js'
import { JournalWriter } from '../journal/writer.js'
import { isBringUp } from '../plan/boot.js'
import { requiredLeftOut } from '../plan/left-out.js'
import type { Suite } from '../plan/suite.js'
import type { Plan } from '../plan/types.js'
import { anyOf } from '../remote/index.js'
import { writeJunit } from '../reports/junit/write.js'
import type { Reporter } from '../reports/terminal/reporter.js'
import { pointLatest } from './latest.js'

/** What a validation pass is made of. */
export interface PassRequest {
  readonly lab: Lab
  readonly suites: readonly Suite[]
  readonly plan: Plan
  /** The folder that holds runs, one folder each. */
  readonly output: string
  readonly driverOf: (host: Host) => Driver
  /** Who runs this: others who wait for a machine are told. */
  readonly who: string
  readonly keep: Keep
  readonly parallel: number
  readonly retries: number
  /** How long things took in earlier runs. */
  readonly history: History
  /** Modules wait for a debugger. */
  readonly inspect?: NonNullable<RunSettings['inspect']>
  readonly drain: AbortSignal
  readonly stop: AbortSignal
  /** Makes the reader that is told of every event once it is on disk. */
  readonly reporterFor: (folder: string) => Reporter
  /** Takes what is to be said once and is no event: what the reports' file system cannot do. */
  readonly warn: (text: string) => void
}

/** How a pass ended. */
export interface PassResult {
  readonly run: string
  readonly folder: string
  readonly state: RunState
  readonly exitCode: ExitCode
  readonly reporter: Reporter
}

/**
 * Carries out a plan and leaves journal, plan and reports in a new folder. Every planned environment
 * has its JUnit file, with every test as not run, before the first guest is touched.
 */
export async function carryOut(request: PassRequest): Promise<PassResult> {
  const { plan, lab } = request
  const run = runId(new Date())
  const folder = join(request.output, run)
  await makeFolder(folder)
  // Before anything else: whatever fails from here on, "latest" shows no older run.
  const pointed = await pointLatest(request.output, run)
  if (pointed !== null) {
    request.warn(pointed)
  }
  const writer = await JournalWriter.open({
    path: join(folder, journalFile),
    epoch: 1,
    firstSeq: 1,
    onUnsynced: code =>
      request.warn(
        `the file system of ${folder} cannot force files to disk (${code}): a crash of this machine may lose verdicts that were told`,
      ),
  })
  const fold = openFold(plan)
  const reporter = request.reporterFor(folder)
  const broken = new AbortController()
  const trouble: Error[] = []
  const giveUp = (error: unknown): void => {
    trouble.push(error instanceof Error ? error : new InternalError(String(error)))
    broken.abort(error)
  }
  const told: Promise<void>[] = []
  let reporting: Promise<unknown> = Promise.resolve()
  const emit = (body: EventBody): void => {
    const telling = writer.append(body).then(event => {
      fold.add(event)
      reporter.event(event)
      if (event.type === 'environment-ended') {
        const { environment } = event
        reporting = reporting.then(() => report(folder, fold.state(), [environment])).catch(giveUp)
      }
    })
    told.push(telling.catch(giveUp))
  }
  emit({
    type: 'run-opened',
    run,
    planDigest: plan.digest,
    expected: plan.expected,
    lab: lab.name,
    harness: `guestcert ${packageVersion()}`,
    waiversDigest: null,
  })
  emit({ type: 'session-started', session: `${run}-1`, epoch: 1, runner: machineName() })
  await writeJson(join(folder, 'plan.json'), plan)
  await Promise.all(told)
  await report(folder, fold.state())
  const { signal: stop, clear: clearStop } = anyOf(request.stop, broken.signal)
  const { signal: drain, clear: clearDrain } = anyOf(request.drain, stop)
  const leases = openLeases({ who: request.who, run, limits: plan.limits })
  const modules = new ModuleHosts()
  try {
    await runPlan({
      plan,
      lab,
      suites: new Map(request.suites.map(suite => [suite.id, suite])),
      run,
      folder,
      driverOf: request.driverOf,
      emit,
      leases,
      modules,
      ...(request.inspect === undefined ? {} : { inspect: request.inspect }),
      keep: request.keep,
      parallel: request.parallel,
      retries: request.retries,
      history: request.history,
      drain,
      stop,
    })
  } catch (error) {
    giveUp(error)
  }
  clearDrain()
  clearStop()
  modules.close()
  await leases.close()
  await Promise.all(told)
  await reporting
  return close()

  async function close(): Promise<PassResult> {
    const interrupted = request.drain.aborted || request.stop.aborted
    const before = fold.state()
    const exitCode = exitCodeOf(before, { interrupted, broken: trouble.length > 0 })
    emit({ type: 'run-closed', counts: before.counts, flaky: before.flaky, exitCode, interrupted })
    await Promise.all(told)
    await writer.close().catch(giveUp)
    if (!writer.isGone) {
      await writeLast(fold.state(), exitCode)
    }
    const [first] = trouble
    if (first !== undefined) {
      throw first
    }
    return { run, folder, state: fold.state(), exitCode, reporter }
  }

  async function writeLast(state: RunState, exitCode: ExitCode): Promise<void> {
    // Those that ended have theirs; one that was stopped in the middle shows how far it came.
    const unended = state.environments.filter(({ ended, startedAt }) => !ended && startedAt !== null)
    await report(
      folder,
      state,
      unended.map(({ planned }) => planned.id),
    ).catch(giveUp)
    await writeJson(join(folder, 'summary.json'), summaryOf(state, exitCode)).catch(giveUp)
  }
}

async function report(folder: string, state: RunState, environments?: readonly string[]): Promise<void> {
  await writeJunit(folder, state, environments === undefined ? {} : { environments })
}

/** Sorts by time, and two runs of one second do not collide: `20261123-093012-4f1c`. */
function runId(now: Date): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
  return `${stamp}-${randomBytes(2).toString('hex')}`
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    throw new UsageError(
      `cannot make the run's folder ${folder}: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(value, null, 2)}\n`)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new InternalError(`${path} cannot be written: ${why}`, { cause: error })
  }
}

/** How long a bring-up took, step by step, and which step it did not get past. */
function bringUpOf({ decisive, attempts }: TestState): Record<string, unknown> {
  const steps = Object.entries(decisive?.measures ?? {}).map(([step, { value }]) => [step, value] as const)
  return {
    durationMs: decisive?.durationMs ?? 0,
    attempts: attempts.length,
    stepsMs: Object.fromEntries(steps),
    ...(decisive?.step == null ? {} : { step: decisive.step }),
  }
}

function summaryOf(state: RunState, exitCode: ExitCode): Record<string, unknown> {
  return {
    run: state.run,
    lab: state.lab,
    planDigest: state.planDigest,
    exitCode,
    counts: state.counts,
    flaky: state.flaky,
    leftOutRequired: state.environments.reduce((sum, { planned }) => sum + requiredLeftOut(planned), 0),
    durationMs: state.durationMs,
    environments: state.environments.map(environment => ({
      id: environment.planned.id,
      emulated: environment.planned.emulated,
      counts: environment.counts,
      leftOut: environment.planned.leftOut,
      tests: environment.tests.map(test => ({
        test: test.planned.id,
        level: test.planned.level,
        verdict: test.verdict,
        ...(test.cause === null ? {} : { cause: test.cause, reason: test.reason }),
        ...(test.flaky ? { flaky: test.flaky } : {}),
        ...(isBringUp(test.planned) ? bringUpOf(test) : {}),
      })),
    })),
  }
}
