import pLimit from 'p-limit'
import { type Demand, demandOf, together } from '../config/demand.js'
import type { Host, Lab, Placement } from '../config/model.js'
import { placementOn } from '../plan/peer.js'
import type { Plan, PlannedEnvironment } from '../plan/types.js'
import { Admission } from './admission.js'
import { secondHostOf } from './bring-up.js'
import { tellCapacityWaits } from './capacity-waits.js'
import { endEnvironment, type Progress, serveEnvironment, startProgress } from './environment.js'
import { estimateMs } from './estimate.js'
import { HostFacts } from './host-facts.js'
import { HostHealth } from './host-health.js'
import type { Job, Offer } from './queue.js'
import { resumeProgress } from './resumed.js'
import { schedule } from './schedule.js'
import type { RunSettings } from './settings.js'

/** An environment between two hosts. */
interface Leaving {
  readonly from: string
  readonly reason: string
}

/**
 * Carries a plan out. Resolves when every environment has ended and is undone; what happened is
 * said through `emit` alone. Each host's capacity stands outside and the run's limit inside, so that an
 * environment that waits for a busy host holds no place that another host could use.
 */
export async function runPlan(settings: RunSettings): Promise<void> {
  const { plan, lab, drain, emit } = settings
  const runLimit = pLimit(settings.parallel)
  const admission = new Admission({
    hosts: [...lab.hosts.values()].map(host => withPeerLocks(host, plan)),
    parallel: settings.parallel,
    reserveAfterMs: plan.limits.reserve,
  })
  const environments = new Map(plan.environments.map(environment => [environment.id, environment]))
  const progresses = new Map<string, Progress>()
  const leaving = new Map<string, Leaving>()
  for (const environment of plan.environments) {
    const left = settings.left?.get(environment.id)
    if (left !== undefined) {
      progresses.set(environment.id, resumeProgress(environment, left, settings))
    }
  }
  const jobs = plan.environments
    .filter(({ id }) => progresses.get(id)?.pending.length !== 0)
    .map(environment => jobOf(environment, lab, settings))
  const hosts = new HostFacts(settings)
  const health = new HostHealth(settings, host => {
    for (const job of admission.setAside(host)) {
      // One that was leaving for this host can still go back to where it came from.
      const whole = jobs.find(({ id }) => id === job.id) ?? job
      if (!admission.submit(whole, performance.now())) {
        end(job.id)
      }
    }
  })

  function end(id: string): void {
    const environment = environments.get(id)
    if (environment !== undefined) {
      endEnvironment(environment, progressOf(environment), health.noneLeft(environment.hosts), settings)
    }
  }

  function progressOf(environment: PlannedEnvironment): Progress {
    const known = progresses.get(environment.id) ?? startProgress(environment, settings)
    progresses.set(environment.id, known)
    return known
  }

  async function serve({ id }: Job, host: string): Promise<readonly string[] | null> {
    const environment = environments.get(id)
    if (environment === undefined || drain.aborted) {
      return null
    }
    const left = leaving.get(id)
    if (left !== undefined && left.from !== host) {
      emit({ type: 'environment-moved', environment: id, ...left, to: host })
    }
    const trouble = await serveEnvironment({
      environment,
      host,
      progress: progressOf(environment),
      health,
      hosts,
      settings,
    })
    if (trouble === null) {
      return null
    }
    leaving.set(id, { from: host, reason: trouble.message })
    return health.serving(environment.hosts.filter(other => other !== host))
  }

  const stopTelling = tellCapacityWaits(admission, settings)
  await schedule({
    admission,
    jobs,
    now: () => performance.now(),
    drain,
    serve: (job, host) => runLimit(() => serve(job, host)),
    onNoHost: ({ id }) => end(id),
  }).finally(stopTelling)
}

/** Room on the host that a guest is moved to is taken for as long as the guest is anywhere. */
function secondOf(
  environment: PlannedEnvironment,
  placement: Placement,
  lab: Lab,
  locks: readonly string[],
): Pick<Offer, 'second'> {
  const host = secondHostOf(environment, placement, lab)
  if (host === undefined) {
    return {}
  }
  const demand = demandOf(placement, locks)
  const held = demand.locks.filter(lock => host.capacity.locks.includes(lock))
  return { second: { host: host.id, demand: { ...demand, locks: held } } }
}

/**
 * A guest that is a peer is there once at a time on each host: it has a lock there, which its own environment takes as
 * well, so that no test of one disturbs the other. Room and locks of both guests are taken at once, so that nobody
 * holds one and waits for the other.
 */
function withPeerLocks(host: Host, { environments }: Plan): Pick<Host, 'id' | 'capacity'> {
  const peers = new Set(environments.flatMap(({ peer }) => peer?.guest.id ?? []))
  const locks = [...host.capacity.locks, ...[...peers].map(peerLock)]
  return peers.size === 0 ? host : { id: host.id, capacity: { ...host.capacity, locks } }
}

/** No lock of a lab has a name with a colon. */
function peerLock(guest: string): string {
  return `guest:${guest}`
}

/** What an environment takes of a host: its guest, and its peer where it has one. */
function demandOn(
  { guest, peer }: PlannedEnvironment,
  placement: Placement,
  locks: readonly string[],
  { plan, lab }: RunSettings,
): Demand {
  const isPeer = plan.environments.some(other => other.peer?.guest.id === guest.id)
  const own = demandOf(placement, isPeer ? [...locks, peerLock(guest.id)] : locks)
  const beside = lab.guests.get(peer?.guest.id ?? '')
  const place = beside && placementOn(beside, placement.host, peer?.configuration.name ?? '')
  return place == null ? own : together(own, demandOf(place, [peerLock(peer?.guest.id ?? '')]))
}

function jobOf(environment: PlannedEnvironment, lab: Lab, settings: RunSettings): Job {
  const locks = environment.tests.flatMap(test => test.locks ?? [])
  const guest = lab.guests.get(environment.guest.id)
  const placements = (guest?.on ?? []).filter(
    ({ host, configuration }) =>
      environment.hosts.includes(host) && configuration.name === environment.configuration.name,
  )
  return {
    id: environment.id,
    estimateMs: estimateMs(environment, settings.history),
    offers: placements.map(placement => ({
      host: placement.host,
      demand: demandOn(environment, placement, locks, settings),
      ...secondOf(environment, placement, lab, locks),
    })),
  }
}
