import { UsageError } from '../config/errors.js'
import type { Lab } from '../config/model.js'
import { ownSuite } from './boot.js'
import { makePlan } from './build.js'
import { everything } from './choice.js'
import { digestPlan } from './digest.js'
import type { Requester } from './reservation.js'
import type { AbilitiesOf } from './serving.js'
import type { Suite } from './suite.js'
import type { Plan, PlannedEnvironment } from './types.js'

/** What a stored plan is planned again from. */
export interface AgainRequest {
  /** The plan in the run's folder: of it only names and digests are used. */
  readonly stored: Plan
  readonly lab: Lab
  readonly suites: readonly Suite[]
  readonly abilitiesOf: AbilitiesOf
  readonly requester: Requester
}

const shownDigits = 12

/**
 * Plans again what a run has planned, on the same hosts, from the lab and the suites as they are now.
 *
 * @throws UsageError when that comes to another plan, with the first thing that differs.
 */
export function planAgain(request: AgainRequest): Plan {
  const { stored, lab, suites, abilitiesOf, requester } = request
  if (stored.lab !== lab.name) {
    throw changed(`it is of the lab "${stored.lab}", not "${lab.name}"`)
  }
  refuseOtherSuites(stored, suites)
  const guests = new Set(
    stored.environments.flatMap(({ guest, peer }) => [guest.id, peer?.guest.id ?? guest.id]),
  )
  const gone = [...guests].find(id => !lab.guests.has(id))
  if (gone !== undefined) {
    throw changed(`the lab has no guest "${gone}" any more`)
  }
  const only = new Map(stored.environments.map(({ id, tests }) => [id, new Set(tests.map(test => test.id))]))
  const plan = makePlan(lab, suites, { ...everything, guests: [...guests], only }, abilitiesOf, requester)
  if (plan.digest !== stored.digest) {
    throw changed(difference(stored, plan))
  }
  const environments = plan.environments.map((environment, at) =>
    onSameHosts(environment, stored.environments[at]),
  )
  return { ...plan, environments, ...(stored.shard === undefined ? {} : { shard: stored.shard }) }
}

function refuseOtherSuites({ environments }: Plan, suites: readonly Suite[]): void {
  for (const { suite: id, suiteDigest, suiteVersion } of environments.flatMap(({ tests }) => tests)) {
    const now = suites.find(suite => suite.id === id)
    if (now === undefined && id !== ownSuite) {
      throw changed(`the suite "${id}" is not there any more`)
    }
    if (now !== undefined && now.digest !== suiteDigest) {
      throw changed(
        `the suite "${id}" has changed: it was ${suiteVersion} with the digest ${short(suiteDigest)}, and is ${now.version} with ${short(now.digest)}`,
      )
    }
  }
}

function difference(stored: Plan, { digest, environments, reserved }: Plan): string {
  const differs = stored.environments.find(environment => {
    const now = environments.find(({ id }) => id === environment.id)
    return now === undefined || digestPlan([now]) !== digestPlan([environment])
  })
  const why = reserved?.find(({ id }) => id === differs?.id)?.why
  const what = differs === undefined ? 'it' : `${differs.id}${why === undefined ? '' : ` (${why})`}`
  return `the lab or the program has changed: ${what} would be planned otherwise (digest ${short(digest)}, and was ${short(stored.digest)})`
}

/** Which hosts serve is not part of the digest, and was chosen when the run began. */
function onSameHosts(now: PlannedEnvironment, before: PlannedEnvironment | undefined): PlannedEnvironment {
  const hosts = now.hosts.filter(host => before?.hosts.includes(host))
  if (hosts.length === 0) {
    throw changed(`no host is left for ${now.id}: it was planned on ${before?.hosts.join(', ')}`)
  }
  return { ...now, hosts }
}

function short(digest: string): string {
  return digest.slice(0, shownDigits)
}

function changed(why: string): UsageError {
  return new UsageError(`the run cannot be resumed: ${why}`)
}
