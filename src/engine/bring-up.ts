import { InfraError } from '../config/errors.js'
import type { Host, Lab, Placement } from '../config/model.js'
import { withDeadline } from '../deadline/deadline.js'
import type { Instance, RunningGuest, UnexpectedEvent } from '../hypervisors/driver.js'
import type { Held, LeasedPlace } from '../hypervisors/lease.js'
import type { InstanceMoved, InstanceRestarted } from '../journal/events.js'
import type { PlannedEnvironment } from '../plan/types.js'
import type { BootAttempt } from './boot.js'
import type { EvidenceFile } from './evidence.js'
import { refuseOtherProducts } from './host-facts.js'
import type { InstanceRequest } from './instance.js'
import { openSession } from './open-session.js'
import type { GuestSession } from './session.js'
import type { RunSettings } from './settings.js'
import type { UndoStack } from './undo.js'

/** What is known of an instance however far it came. */
export interface Made {
  prepared: Instance | null
  running: RunningGuest | null
}

/** Marks an instance as kept, where its driver marks any; one that cannot be marked is kept all the same. */
export async function markKept(
  { prepared }: Made,
  where: string,
  { plan, stop }: RunSettings,
): Promise<void> {
  const limit = { name: 'undo', ms: plan.limits.undo, where, signal: stop }
  await withDeadline(limit, async signal => prepared?.keep?.(signal)).catch(() => {})
}

/** What stood on the screen of an instance that failed; one that cannot be pictured any more has none. */
export async function pictureScreen(
  running: RunningGuest,
  where: string,
  { plan, stop }: RunSettings,
): Promise<void> {
  const limit = { name: 'undo', ms: plan.limits.undo, where, signal: stop }
  await withDeadline(limit, async signal => running.screenshot?.(signal)).catch(() => {})
}

/** Where the instance is to be. Throws InfraError when the lab has no such place. */
export function placeOf({ environment, host: hostId, settings }: InstanceRequest): LeasedPlace {
  const { lab } = settings
  const [host, guest] = [lab.hosts.get(hostId), lab.guests.get(environment.guest.id)]
  const placement = guest?.on.find(
    on => on.host === hostId && on.configuration.name === environment.configuration.name,
  )
  if (host === undefined || guest === undefined || placement === undefined) {
    throw new InfraError(`${environment.id} has no place on ${hostId}`, {
      cause: 'runner',
      where: hostId,
      code: 'driver',
    })
  }
  return { host, guest, placement, driver: settings.driverOf(host) }
}

/** Where a test of live migration moves it to: that host must be ours as well. */
export function secondPlaceOf(
  { environment, settings }: InstanceRequest,
  place: LeasedPlace,
): readonly LeasedPlace[] {
  const host = secondHostOf(environment, place.placement, settings.lab)
  return host === undefined ? [] : [{ ...place, host, driver: settings.driverOf(host) }]
}

/** The host that an environment's guest is moved to; undefined where none of its tests moves it. */
export function secondHostOf(
  { tests }: PlannedEnvironment,
  { migratesTo }: Placement,
  lab: Lab,
): Host | undefined {
  return migratesTo !== undefined && tests.some(test => test.migrates) ? lab.hosts.get(migratesTo) : undefined
}

/** What an instance is brought up with. */
export interface BringUpRequest extends InstanceRequest {
  readonly place: LeasedPlace
  readonly instance: string
  /** The instance's folder of evidence. */
  readonly folder: string
  readonly undo: UndoStack
  readonly evidence: (file: string) => EvidenceFile
  /** Takes what is known of the instance. */
  readonly made: Made
  readonly boot: BootAttempt
  readonly lend: Held['lend']
}

/** Prepares, starts and reaches an instance; each step that was begun has its undoing. Throws InfraError. */
export async function bringUp(request: BringUpRequest): Promise<GuestSession> {
  const { environment, settings, place, instance, folder, undo, evidence, made, boot, lend, hosts } = request
  const { host, guest, placement, driver } = place
  const { plan, lab, stop } = settings
  // Asked while the guest is brought up, so that nothing waits for it.
  const observing = Promise.all(
    [place, ...secondPlaceOf(request, place)].map(({ host }) => hosts.observe(host)),
  )
  const limit = { name: 'boot', ms: plan.limits.boot, where: instance, signal: stop }
  const wanted = {
    instance,
    guest,
    placement,
    evidenceFolder: folder,
    limits: plan.limits,
    outlives: settings.keep !== 'never',
  }
  const prepared = driver.instance(wanted)
  made.prepared = prepared
  // The undoing is there before anything is begun, so that nothing half-made is left behind.
  undo.push('remove', signal => prepared.remove(signal))
  boot.waitFor('prepare', host.id)
  await withDeadline({ ...limit, leftMs: boot.leftMs(), cause: 'host' }, signal => prepared.prepare(signal))
  boot.waitFor('start', host.id)
  const running = await withDeadline({ ...limit, leftMs: boot.leftMs(), cause: 'host' }, signal =>
    prepared.start(signal),
  )
  undo.push('stop', signal => running.stop(signal))
  made.running = running
  const session = await openSession({
    environment,
    instance,
    lab,
    guest,
    placement,
    host: host.id,
    driver: host.driver,
    running,
    ...(settings.connect === undefined ? {} : { connect: settings.connect }),
    limits: plan.limits,
    suites: settings.suites,
    signal: stop,
    evidence,
    lend,
    boot,
    tell: what => settings.emit(unexpectedEvent(what, { environment: environment.id, instance })),
  })
  undo.push('disconnect', () => session.close())
  undo.push('clean', signal => session.clean(signal))
  const [ofHost = null] = await observing
  settings.emit({
    type: 'instance-ready',
    environment: environment.id,
    instance,
    bootIdentity: session.identity.bootId ?? `btime:${session.identity.btimeSec}`,
    hostKey: session.machine.hostKey,
    factsDigest: session.factsDigest,
    facts: session.facts,
  })
  refuseOtherProducts(environment, { host: host.id, ofGuest: session.facts, ofHost })
  return session
}

/** What happened to an instance unexpectedly, as the journal has it. */
function unexpectedEvent(
  what: UnexpectedEvent,
  at: { readonly environment: string; readonly instance: string },
): InstanceMoved | InstanceRestarted {
  return what.type === 'moved'
    ? { type: 'instance-moved', ...at, from: what.from, to: what.to }
    : { type: 'instance-restarted', ...at, cause: what.cause, reason: what.why }
}
