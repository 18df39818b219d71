import { join } from 'node:path'
import { planFormat } from '../config/format.js'
import { packageVersion } from '../config/package-root.js'
import { machineName } from '../config/this-machine.js'
import { ModuleHosts } from '../engine/modules/hosts.js'
import { runPlan } from '../engine/run.js'
import { openLeases } from '../hypervisors/lease.js'
import { exitCodeOf } from '../journal/exit.js'
import type { EnvironmentState, RunState } from '../journal/state.js'
import { type EmulatedLab, startEmulatedLab } from '../lab/emulated.js'
import { hasEmulatedGuests } from '../lab/emulated-request.js'
import { findRunningLab } from '../lab/running.js'
import { anyOf } from '../remote/index.js'
import { secretsOf } from '../remote/lab-secrets.js'
import { writeJunit } from '../reports/junit/write.js'
import { summaryOf } from '../reports/summary.js'
import { Redactor } from '../text/redactor.js'
import { type Drivers, openDrivers } from './drivers.js'
import { watchForEarlyEnd } from './early-end.js'
import { planFile, summaryFile, writeJson } from './folder.js'
import { type OpenRun, openNewRun, reopenRun } from './open-run.js'
import { reclaim } from './reclaim.js'
import type { RunRequest, RunResult } from './request.js'
import { EventStream } from './stream.js'
import { type Tasks, withTasks } from './tasks.js'

/**
 * Carries out a plan and leaves journal, plan and reports in a folder: a new one, or that of the run that it resumes.
 * Every planned environment has its JUnit file, with every test that is not decided as not run, before the first guest
 * is touched.
 *
 * @throws UsageError when the folder cannot be made or another session of the run lives, InfraError when the emulated
 * lab does not start, InternalError when the run could not be written down.
 */
export async function carryOut(request: RunRequest): Promise<RunResult> {
  return withTasks(async tasks => {
    const open = (work: () => Promise<OpenRun>): Promise<OpenRun> =>
      tasks.do('open the run', work, ({ claim }) => claim.end())
    const { resumes } = request
    const resumed = resumes === undefined ? null : await open(() => reopenRun(request, resumes))
    const { drivers, isNewLab } = await openTheDrivers(request, tasks)
    const opened = resumed ?? (await open(() => openNewRun(request)))
    const { folder, before, claim, sink } = opened
    const redactor = new Redactor((await secretsOf(request.lab)).secrets)
    const events = new EventStream({
      plan: request.plan,
      before,
      sink,
      readersFor: fold => request.readersFor?.(folder, fold) ?? [],
      redactor,
      report: (environment, fold) => writeReports(request, folder, fold.state(), [environment]),
    })
    claim.overtaken.addEventListener('abort', () => events.giveUp(claim.overtaken.reason), { once: true })
    const running = { ...opened, request, events }
    await tasks.do('write the plan', () => beginSession(running))
    const endedEarly = await tasks.do('run the tests', () =>
      runTests({ ...running, redactor, drivers, isNewLab }),
    )
    return tasks.do('close the run', () => closeRun({ ...running, endedEarly }))
  }, request.warn)
}

async function openTheDrivers(
  request: RunRequest,
  tasks: Tasks,
): Promise<{ readonly drivers: Drivers; readonly isNewLab: boolean }> {
  const { lab, cacheFolder, stop, onHostLoads } = request
  const up = request.reusesLab && hasEmulatedGuests(lab) ? await findRunningLab(lab, cacheFolder) : null
  const emulated = await tasks.do(
    'start the emulated lab',
    async (): Promise<EmulatedLab | null> =>
      hasEmulatedGuests(lab) ? (up ?? (await startEmulatedLab(lab, stop))) : null,
    async started => {
      const loads = (await started?.close()) ?? []
      onHostLoads?.(loads)
    },
  )
  const drivers = await tasks.do(
    'open the drivers',
    () => openDrivers(lab, cacheFolder, emulated ?? undefined),
    opened => opened.close(),
  )
  return { drivers, isNewLab: up === null }
}

interface Running extends OpenRun {
  readonly request: RunRequest
  readonly events: EventStream
}

async function beginSession({ request, run, folder, claim, before, events }: Running): Promise<void> {
  const { plan, lab, labels, certify } = request
  const { epoch } = claim
  const isNew = before.length === 0
  if (isNew) {
    events.emit({
      type: 'run-opened',
      run,
      planDigest: plan.digest,
      expected: plan.expected,
      lab: lab.name,
      harness: `guestcert ${packageVersion()}`,
      waiversDigest: null,
      ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { labels }),
      ...(certify === undefined ? {} : { certify }),
    })
  }
  events.emit({ type: 'session-started', session: `${run}-${epoch}`, epoch, runner: machineName() })
  if (isNew) {
    await writeJson(join(folder, planFile), { format: planFormat, ...plan })
  }
  await events.settled()
  await writeReports(request, folder, events.fold.state())
}

/**
 * Runs the plan with what its tests need, and gives that back before the run is closed. Resolves to why it ended before
 * its plan, though nobody interrupted it; else to `null`.
 */
async function runTests(
  running: Running & {
    readonly drivers: Drivers
    readonly redactor: Redactor
    readonly isNewLab: boolean
  },
): Promise<string | null> {
  const { request, run, folder, before, events, redactor, drivers, isNewLab } = running
  const { plan, lab, suites, who, inspect, keep, parallel, retries, history } = request
  const stop = anyOf(request.stop, events.broken)
  const early = watchForEarlyEnd(plan, request.failFast === true)
  const drain = anyOf(request.drain, stop.signal, early.drain)
  const leftNow = (): ReadonlyMap<string, EnvironmentState> =>
    new Map(events.fold.state().environments.map(one => [one.planned.id, one]))
  try {
    await withTasks(async tasks => {
      const leases = await tasks.do(
        'open the leases',
        () => openLeases({ who, run, limits: plan.limits }),
        opened => opened.close(),
      )
      const modules = await tasks.do(
        'open the module hosts',
        () => new ModuleHosts(),
        async opened => opened.close(),
      )
      if (before.length > 0) {
        await reclaim({
          plan,
          lab,
          run,
          left: leftNow(),
          driverOf: drivers.driverOf,
          leases,
          emit: events.emit,
          isNew: ({ host, guest }) =>
            isNewLab && (host.emulated !== undefined || guest.emulated !== undefined),
          signal: drain.signal,
        })
        await events.settled()
      }
      await runPlan({
        plan,
        lab,
        suites: new Map(suites.map(suite => [suite.id, suite])),
        run,
        folder,
        driverOf: drivers.driverOf,
        emit: body => {
          events.emit(body)
          early.observe(body)
        },
        redactor,
        leases,
        modules,
        ...(inspect === undefined ? {} : { inspect }),
        ...(before.length === 0 ? {} : { left: leftNow() }),
        keep,
        parallel,
        retries,
        history,
        drain: drain.signal,
        stop: stop.signal,
        expired: early.expired,
      })
    }, request.warn)
  } catch (error) {
    events.giveUp(error)
  }
  drain.clear()
  early.clear()
  stop.clear()
  await events.settled()
  const why = early.why()
  if (why !== null) {
    request.warn(`the run ended early: ${why}`)
  }
  return why
}

/** Decides the exit code, ends the journal, and writes the last reports. */
async function closeRun(running: Running & { readonly endedEarly: string | null }): Promise<RunResult> {
  const { request, run, folder, events, sink, claim, endedEarly } = running
  const interrupted = request.drain.aborted || request.stop.aborted
  const before = events.fold.state()
  const exitCode = exitCodeOf(before, { interrupted, broken: events.trouble.length > 0 })
  const { counts, flaky } = before
  events.emit({
    type: 'run-closed',
    counts,
    flaky,
    exitCode,
    interrupted,
    ...(endedEarly === null ? {} : { endedEarly }),
  })
  await events.settled()
  await sink.close().catch(error => events.giveUp(error))
  const state = events.fold.state()
  if (!sink.isGone && !claim.overtaken.aborted) {
    // Those that ended have theirs; one that was stopped in the middle shows how far it came.
    const unended = state.environments.filter(({ ended, startedAt }) => !ended && startedAt !== null)
    const ids = unended.map(({ planned }) => planned.id)
    await writeReports(request, folder, state, ids).catch(error => events.giveUp(error))
    await writeJson(join(folder, summaryFile), summaryOf(state, exitCode)).catch(error =>
      events.giveUp(error),
    )
  }
  await events.end(state, exitCode, folder)
  const [first] = events.trouble
  if (first !== undefined) {
    throw first
  }
  return { run, folder, state, exitCode }
}

async function writeReports(
  { workspace }: RunRequest,
  folder: string,
  state: RunState,
  environments?: readonly string[],
): Promise<void> {
  await writeJunit(folder, state, { workspace, ...(environments === undefined ? {} : { environments }) })
}
