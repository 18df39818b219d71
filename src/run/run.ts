import { join } from 'node:path'
import { packageVersion } from '../config/package-root.js'
import { machineName } from '../config/this-machine.js'
import { ModuleHosts } from '../engine/modules/hosts.js'
import { runPlan } from '../engine/run.js'
import { openLeases } from '../hypervisors/lease.js'
import { exitCodeOf } from '../journal/exit.js'
import { journalFile } from '../journal/reader.js'
import type { RunState } from '../journal/state.js'
import { JournalWriter } from '../journal/writer.js'
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
import { makeRunFolder, planFile, runId, summaryFile, writeJson } from './folder.js'
import { pointLatest } from './latest.js'
import type { EventSink, RunRequest, RunResult } from './request.js'
import { EventStream } from './stream.js'
import { type Tasks, withTasks } from './tasks.js'

const firstEpoch = 1

/**
 * Carries out a plan and leaves journal, plan and reports in a new folder. Every planned environment has its JUnit
 * file, with every test as not run, before the first guest is touched.
 *
 * @throws UsageError when the folder cannot be made, InfraError when the emulated lab does not start, InternalError
 * when the run could not be written down.
 */
export async function carryOut(request: RunRequest): Promise<RunResult> {
  return withTasks(async tasks => {
    const drivers = await openTheDrivers(request, tasks)
    const run = runId(new Date())
    const folder = join(request.output, run)
    await tasks.do('make the folder', () => prepareFolder(request, run, folder))
    const redactor = new Redactor((await secretsOf(request.lab)).secrets)
    const sink = await tasks.do('open the journal', () => request.sink ?? openJournal(request, folder))
    const events = new EventStream({
      plan: request.plan,
      sink,
      readersFor: fold => request.readersFor?.(folder, fold) ?? [],
      redactor,
      report: (environment, fold) => writeReports(request, folder, fold.state(), [environment]),
    })
    await tasks.do('write the plan', () => beginRun(request, run, folder, events))
    const running = { request, run, folder, events }
    const endedEarly = await tasks.do('run the tests', () => runTests({ ...running, redactor, drivers }))
    return tasks.do('close the run', () => closeRun({ ...running, sink, endedEarly }))
  }, request.warn)
}

async function openTheDrivers(request: RunRequest, tasks: Tasks): Promise<Drivers> {
  const { lab, cacheFolder, stop, onHostLoads } = request
  const emulated = await tasks.do(
    'start the emulated lab',
    async (): Promise<EmulatedLab | null> =>
      hasEmulatedGuests(lab)
        ? ((request.reusesLab ? await findRunningLab(lab, cacheFolder) : null) ??
          (await startEmulatedLab(lab, stop)))
        : null,
    async started => onHostLoads?.((await started?.close()) ?? []),
  )
  return tasks.do(
    'open the drivers',
    () => openDrivers(lab, cacheFolder, emulated ?? undefined),
    opened => opened.close(),
  )
}

async function prepareFolder({ output, warn }: RunRequest, run: string, folder: string): Promise<void> {
  await makeRunFolder(folder)
  // Before anything else: whatever fails from here on, "latest" shows no older run.
  const pointed = await pointLatest(output, run)
  if (pointed !== null) {
    warn(pointed)
  }
}

function openJournal({ warn }: RunRequest, folder: string): Promise<EventSink> {
  return JournalWriter.open({
    path: join(folder, journalFile),
    epoch: firstEpoch,
    firstSeq: 1,
    onUnsynced: code =>
      warn(
        `the file system of ${folder} cannot force files to disk (${code}): a crash of this machine may lose verdicts that were told`,
      ),
  })
}

async function beginRun(
  request: RunRequest,
  run: string,
  folder: string,
  events: EventStream,
): Promise<void> {
  const { plan, lab, labels } = request
  events.emit({
    type: 'run-opened',
    run,
    planDigest: plan.digest,
    expected: plan.expected,
    lab: lab.name,
    harness: `guestcert ${packageVersion()}`,
    waiversDigest: null,
    ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { labels }),
  })
  events.emit({
    type: 'session-started',
    session: `${run}-${firstEpoch}`,
    epoch: firstEpoch,
    runner: machineName(),
  })
  await writeJson(join(folder, planFile), plan)
  await events.settled()
  await writeReports(request, folder, events.fold.state())
}

interface Running {
  readonly request: RunRequest
  readonly run: string
  readonly folder: string
  readonly events: EventStream
}

/**
 * Runs the plan with what its tests need, and gives that back before the run is closed. Resolves to why it ended before
 * its plan, though nobody interrupted it; else to `null`.
 */
async function runTests(
  running: Running & { readonly drivers: Drivers; readonly redactor: Redactor },
): Promise<string | null> {
  const { request, run, folder, events, redactor, drivers } = running
  const { plan, lab, suites, who, inspect, keep, parallel, retries, history } = request
  const stop = anyOf(request.stop, events.broken)
  const early = watchForEarlyEnd(plan, request.failFast === true)
  const drain = anyOf(request.drain, stop.signal, early.drain)
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
async function closeRun(
  running: Running & { readonly sink: EventSink; readonly endedEarly: string | null },
): Promise<RunResult> {
  const { request, run, folder, events, sink, endedEarly } = running
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
  if (!sink.isGone) {
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
