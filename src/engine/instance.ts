import { type Held, isOwnMachine, nothingHeld } from '../hypervisors/lease.js'
import type { Evidence } from '../journal/events.js'
import type { PlannedEnvironment } from '../plan/types.js'
import { anyOf } from '../remote/index.js'
import { BootAttempt } from './boot.js'
import { bringUp, type Made, markKept, pictureScreen, placeOf, secondPlaceOf } from './bring-up.js'
import { describeTrouble, type Trouble } from './cause.js'
import type { Progress } from './environment.js'
import { instanceFolder } from './evidence.js'
import { fenced, holdPlaces } from './fence.js'
import type { HostFacts } from './host-facts.js'
import { evidenceIn, leftBehind } from './instance-evidence.js'
import { instanceName } from './instance-name.js'
import { PeerInstance } from './peer.js'
import { runPending } from './pending.js'
import type { RunSettings } from './settings.js'
import { UndoStack } from './undo.js'

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
    trouble = await runPending({ session, request: leased, opened, held })
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
