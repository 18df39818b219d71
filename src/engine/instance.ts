import { type Held, isOwnMachine, nothingHeld } from '../hypervisors/lease.js'
import type { Evidence, TestEnded } from '../journal/events.js'
import type { PlannedEnvironment, PlannedTest } from '../plan/types.js'
import { anyOf } from '../remote/index.js'
import { lostBeforeBegin } from '../results/judge.js'
import { BootAttempt } from './boot.js'
import { bringUp, type Made, markKept, pictureScreen, placeOf, secondPlaceOf } from './bring-up.js'
import { describeTrouble, type Trouble } from './cause.js'
import type { Progress } from './environment.js'
import { instanceFolder } from './evidence.js'
import { fenced, holdPlaces, judgeHeld } from './fence.js'
import type { HostFacts } from './host-facts.js'
import { evidenceIn, leftBehind } from './instance-evidence.js'
import { instanceName } from './instance-name.js'
import { reopenBringUp, unbegun } from './lost-bring-up.js'
import { countChecks, type Outcome } from './outcome.js'
import { PeerInstance } from './peer.js'
import type { GuestSession } from './session.js'
import type { RunSettings } from './settings.js'
import { runTest } from './test.js'
import { UndoStack } from './undo.js'
import { sayingFor } from './waits.js'

/** One instance of an environment: which, where, and what it is to do. */
export interface InstanceRequest {
  readonly environment: PlannedEnvironment
  readonly host: string
  /** The n-th instance of its environment, from 1. */
  readonly number: number
  readonly progress: Progress
  readonly hosts: HostFacts
  readonly settings: RunSettings
}

/**
 * Brings one instance up, runs what is pending on it, and undoes it, whatever happened. Returns
 * trouble that ended it early; `null` when it did its part, though more may be pending for a next one.
 */
export async function serveInstance(request: InstanceRequest): Promise<Trouble | null> {
  const { environment, host, number, progress, settings } = request
  const name = instanceName(request)
  const folder = instanceFolder(settings.folder, environment.id, name)
  const undo = new UndoStack()
  const opened = new Map<string, Evidence>()
  const evidence = evidenceIn(folder, settings)
  settings.emit({
    type: 'instance-started',
    environment: environment.id,
    instance: name,
    host,
    attempt: number,
  })
  progress.bringUps += 1
  const bringing = { environment: environment.id, attempt: progress.bringUps, instance: name }
  const boot = new BootAttempt(bringing, settings)
  progress.boot = boot
  const before = verdictsOf(progress)
  const made: Made = { prepared: null, running: null }
  const peer = environment.peer === undefined ? null : new PeerInstance(environment.peer, request)
  let trouble: Trouble | null = null
  let held: Held = nothingHeld
  let unfence = (): void => {}
  try {
    const place = placeOf(request)
    const places = [place, ...secondPlaceOf(request, place), ...(peer?.place(place) ?? [])]
    boot.waitFor('lease', host)
    held = await holdPlaces(places, settings, { environment: environment.id, instance: name }, what =>
      boot.saw(what),
    )
    const fence = fenced(held, settings)
    unfence = fence.clear
    const leased = { ...request, settings: fence.settings }
    boot.start()
    const { lend } = held
    const session = await interruptibly(leased, until =>
      bringUp({ ...until, place, instance: name, folder, undo, evidence, made, boot, lend }),
    )
    session.peer = peer
    boot.passed()
    progress.boot = null
    trouble = await runPending(session, leased, opened, held)
  } catch (error) {
    progress.boot?.halt()
    // Asked to end while it still waited for somebody else, or for the guest.
    const isInterrupted = progress.boot !== null && settings.drain.aborted
    if (isInterrupted && held !== nothingHeld) {
      progress.boot?.interrupted()
    }
    progress.boot = isInterrupted ? null : progress.boot
    trouble = isInterrupted ? null : describeTrouble(error)
    if (trouble !== null && !settings.stop.aborted) {
      settings.emit({
        type: 'instance-failed',
        environment: environment.id,
        instance: name,
        cause: trouble.cause,
        message: trouble.message,
      })
    }
  }
  unfence()
  // What somebody else may use by now is not touched; nor is it gone.
  const isTheirs = held.lost.aborted && !isOwnMachine(placeOf(request))
  if (isTheirs) {
    undo.forget(['remove', 'stop'])
  }
  const failed =
    trouble !== null ||
    verdictsOf(progress)
      .slice(before.length)
      .some(verdict => verdict !== 'pass')
  if (failed && made.running !== null) {
    await pictureScreen(made.running, name, settings)
  }
  const kept = settings.keep === 'always' || (settings.keep === 'failed' && failed)
  if (kept) {
    await markKept(made, name, settings)
  }
  await peer?.end(kept)
  const undone = kept ? { names: [], left: null } : await undo.undoAll(settings.plan.limits.undo)
  settings.emit({
    type: 'instance-ended',
    environment: environment.id,
    instance: name,
    undone: undone.names,
    orphan: kept ? (made.prepared?.keepHint ?? null) : leftOf(undone.left, isTheirs ? held.machine : null),
    kept,
    evidence: await leftBehind(settings, folder, opened),
  })
  held.leave()
  return trouble
}

/** What an instance leaves behind: what could not be undone, and what may not be on a machine whose lease was lost. */
function leftOf(left: string | null, theirs: string | null): string | null {
  const untouched = theirs === null ? [] : [`left as it is, as the lease of ${theirs} was lost`]
  const all = [...(left === null ? [] : [left]), ...untouched]
  return all.length === 0 ? null : all.join('; ')
}

/** A guest is brought up only for a run that goes on: one interrupt ends that, and all the waits in it. */
async function interruptibly<T>(
  request: InstanceRequest,
  work: (request: InstanceRequest) => Promise<T>,
): Promise<T> {
  const { settings } = request
  const { signal: stop, clear } = anyOf(settings.stop, settings.drain)
  try {
    return await work({ ...request, settings: { ...settings, stop } })
  } finally {
    clear()
  }
}

function verdictsOf(progress: Progress): string[] {
  return [...progress.ended.values()].map(({ verdict }) => verdict)
}

/** Runs pending tests until one says that the instance can serve no more. */
async function runPending(
  session: GuestSession,
  { environment, progress, settings }: InstanceRequest,
  opened: Map<string, Evidence>,
  held: Held,
): Promise<Trouble | null> {
  let isFresh = true
  for (let test = progress.pending[0]; test !== undefined; test = progress.pending[0]) {
    settings.stop.throwIfAborted()
    if (settings.drain.aborted) {
      return null
    }
    if (blockIfNeeded(test, session, environment, progress, settings)) {
      continue
    }
    if (test.isolation === 'own-instance' && !isFresh) {
      return null
    }
    const attempt = (progress.tries.get(test.id) ?? 0) + 1
    progress.tries.set(test.id, attempt)
    const at = { environment: environment.id, test: test.id, attempt } as const
    settings.emit({ type: 'test-started', ...at, instance: session.source.instance })
    const startedAt = performance.now()
    const wait = { ...at, what: `${test.id} to end`, limit: 'test', limitMs: test.limitMs, isQuiet: true }
    const outcome = await sayingFor(wait, settings, () =>
      judgeHeld(held, session, settings.stop, () => runTest(session, test, attempt, settings)),
    )
    const lost = isFresh ? lostBeforeBegin(outcome) : null
    if (lost !== null) {
      settings.emit({ type: 'test-ended', ...at, instance: session.source.instance, ...unbegun(lost) })
      throw reopenBringUp(lost, { environment, progress, settings, instance: session.source.instance })
    }
    const trouble = outcome.trouble === undefined ? null : describeTrouble(outcome.trouble)
    const again = trouble?.retryable === true && progress.retriesLeft > 0
    for (const check of outcome.checks) {
      settings.emit({ type: 'check', ...at, ...check })
    }
    for (const file of outcome.evidence) {
      opened.set(file.path, file)
    }
    settings.emit({
      type: 'test-ended',
      ...at,
      instance: session.source.instance,
      ...verdictFields(outcome),
      durationMs: Math.round(performance.now() - startedAt),
      final: !again,
    })
    if (again) {
      return trouble
    }
    progress.doubt = trouble
    endTest(test, outcome, progress)
    isFresh = false
    if (outcome.spoilt || test.isolation !== 'shared') {
      return null
    }
  }
  return null
}

function verdictFields(outcome: Outcome): {
  verdict: Outcome['verdict']
  reason: string
  checks: ReturnType<typeof countChecks>
  evidence: readonly Evidence[]
  stderr?: string
} {
  const { verdict, cause, reason, checks, measures, evidence, exit, stderr } = outcome
  return {
    verdict,
    reason,
    checks: countChecks(checks),
    evidence,
    ...(cause === undefined ? {} : { cause }),
    ...(exit === undefined ? {} : { exit }),
    ...(stderr === undefined ? {} : { stderr }),
    ...(Object.keys(measures).length === 0 ? {} : { measures }),
  }
}

function endTest(
  test: PlannedTest,
  { verdict, cause }: Pick<TestEnded, 'verdict' | 'cause'>,
  progress: Progress,
): void {
  progress.ended.set(test.id, { verdict, ...(cause === undefined ? {} : { cause }) })
  progress.pending = progress.pending.slice(1)
}

/** A test whose predecessor was not seen to pass is not tried. */
function blockIfNeeded(
  test: PlannedTest,
  session: GuestSession,
  environment: PlannedEnvironment,
  progress: Progress,
  { emit }: RunSettings,
): boolean {
  const needed = test.after.find(id => progress.ended.get(id)?.verdict !== 'pass')
  if (needed === undefined) {
    return false
  }
  const { verdict = 'not-run', cause = 'unknown' } = progress.ended.get(needed) ?? {}
  emit({
    type: 'test-ended',
    environment: environment.id,
    test: test.id,
    attempt: (progress.tries.get(test.id) ?? 0) + 1,
    instance: session.source.instance,
    verdict: 'blocked',
    cause,
    reason: `it needs ${needed}, whose verdict is ${verdict}`,
    durationMs: 0,
    checks: { ok: 0, notOk: 0, todo: 0, skip: 0 },
    evidence: [],
    final: true,
  })
  endTest(test, { verdict: 'blocked', cause }, progress)
  return true
}
