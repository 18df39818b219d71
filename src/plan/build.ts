import { UsageError } from '../config/errors.js'
import type { Family, Guest, Host, Lab, Placement } from '../config/model.js'
import { bootTest } from './boot.js'
import { type Choice, isChosen, namesOf, refuseUnknown, testsTaken } from './choice.js'
import { digestPlan } from './digest.js'
import { isLent, mayReboot, whyNotOnLent } from './lent.js'
import { type Pairing, whatIsUnsaid, whyNot } from './match.js'
import { type Candidate, type FoundPeer, findPeer } from './peer.js'
import { type Requester, whyReserved } from './reservation.js'
import { type AbilitiesOf, type Serving, servingOf } from './serving.js'
import type { Suite, SuiteTest } from './suite.js'
import type {
  LeftOut,
  LeftOutReason,
  Plan,
  PlannedEnvironment,
  PlannedPairing,
  PlannedTest,
  ReservedEnvironment,
} from './types.js'

/** `guest@product-version/configuration`, with blanks in versions as `_`. */
export function environmentId(
  guest: Guest,
  host: Pick<Host, 'product' | 'version'>,
  placement: Placement,
): string {
  return `${guest.id}@${host.product}-${host.version}/${placement.configuration.name}`.replaceAll(' ', '_')
}

/**
 * Lists every environment and every test of a run, in the order of the lab and the suites,
 * and why each test that is left out is left out. Throws UsageError when nothing is left.
 */
export function makePlan(
  lab: Lab,
  suites: readonly Suite[],
  choice: Choice,
  abilitiesOf: AbilitiesOf,
  requester: Requester | null = null,
): Plan {
  refuseUnknownNames(lab, suites, choice)
  const { candidates, reserved } = candidatesOf(lab, choice, requester)
  const servingFor = ({ guest, placement }: Candidate): Serving =>
    servingOf(lab, guest, placement.configuration.name, abilitiesOf, requester)
  const environments = candidates.map(candidate =>
    plannedEnvironment(candidate, candidates, lab, suites, choice, servingFor(candidate)),
  )
  const used = environments.filter(({ tests }) => tests.length > 0)
  // A guest that is only brought up is not a pass: what is not chosen stays nothing to run.
  if (used.length === 0) {
    const [first] = reserved
    if (first !== undefined) {
      throw new UsageError(`nothing is left to run: ${first.why}`)
    }
    throw new UsageError(
      'the choice leaves no test: nothing to run (see "guestcert plan LAB" for why tests are left out)',
    )
  }
  const whole = used.map(environment => withBringUp(environment, lab))
  return {
    lab: lab.name,
    digest: digestPlan(whole),
    expected: whole.reduce((sum, { tests }) => sum + tests.length, 0),
    limits: lab.limits,
    environments: whole,
    ...(reserved.length === 0 ? {} : { reserved }),
  }
}

function withBringUp(environment: PlannedEnvironment, lab: Lab): PlannedEnvironment {
  const startsGuest = lab.hosts.get(environment.hosts[0] ?? '')?.driver.startsGuests === true
  const { family } = environment.guest
  return {
    ...environment,
    tests: [bootTest({ startsGuest, family, limits: lab.limits }), ...environment.tests],
  }
}

function refuseUnknownNames(lab: Lab, suites: readonly Suite[], choice: Choice): void {
  const tests = suites.flatMap(suite => suite.tests)
  refuseUnknown('--guest', choice.guests, [...lab.guests.keys()])
  refuseUnknown('--host', choice.hosts, [...lab.hosts.keys()])
  refuseUnknown(
    '--suite',
    choice.suites,
    suites.map(({ id }) => id),
  )
  refuseUnknown('--test', choice.tests, [...new Set(tests.flatMap(namesOf))])
  refuseUnknown('--tag', choice.tags, [...new Set(tests.flatMap(({ tags }) => tags))])
}

/**
 * Placements of one pairing are one environment that several hosts can serve: all but those that others have
 * reserved. Where no host is left, the environment is, with the reason.
 */
function candidatesOf(
  lab: Lab,
  choice: Choice,
  requester: Requester | null,
): { readonly candidates: Candidate[]; readonly reserved: ReservedEnvironment[] } {
  const candidates = new Map<string, Candidate & { readonly hosts: string[] }>()
  const reserved = new Map<string, string[]>()
  for (const guest of lab.guests.values()) {
    if (!isChosen(choice.guests, guest.id)) {
      continue
    }
    for (const placement of guest.on) {
      const host = lab.hosts.get(placement.host)
      if (host === undefined || !isChosen(choice.hosts, host.id)) {
        continue
      }
      const id = environmentId(guest, host, placement)
      const why = whyReserved(host, requester)
      if (why !== null) {
        reserved.set(id, [...(reserved.get(id) ?? []), why])
        continue
      }
      const known = candidates.get(id)
      if (known === undefined) {
        candidates.set(id, { id, guest, host, placement, hosts: [host.id] })
      } else {
        known.hosts.push(host.id)
      }
    }
  }
  return {
    candidates: [...candidates.values()],
    reserved: [...reserved]
      .filter(([id]) => !candidates.has(id))
      .map(([id, reasons]) => ({ id, why: [...new Set(reasons)].join('; ') })),
  }
}

function plannedEnvironment(
  own: Candidate,
  all: readonly Candidate[],
  lab: Lab,
  suites: readonly Suite[],
  choice: Choice,
  serving: Serving,
): PlannedEnvironment {
  const { guest, host, placement, hosts } = own
  const tests: PlannedTest[] = []
  const leftOut: LeftOut[] = []
  const pairing = { guest, host, configuration: placement.configuration }
  const mayRevert = serving.abilities(host.id).has('revert')
  const lent = isLent(placement, host.driver)
  let left = hosts
  let peer: Candidate | null = null
  for (const suite of suites) {
    const taken = testsTaken(choice, suite.tests, own.id)
    for (const test of suite.tests) {
      const found: FoundPeer | string | null =
        test.needs.peer === undefined
          ? null
          : findPeer(test, { own, hosts: serving.able(left, test), chosen: peer, all, lab })
      const lack =
        whyNotOnGuest(test, pairing) ??
        whyNotOnHosts(test, left, serving) ??
        (lent ? whyNotOnLent(test, guest) : whyNotAltered(test, placement, mayRevert)) ??
        (typeof found === 'string' ? found : null)
      const out: LeftOutReason | null =
        whyNot(suite.applies, pairing) ??
        whyNot(test.applies, pairing) ??
        (lack === null ? whyNotNow(test, taken, leftOut) : { kind: 'unable', why: lack })
      if (out === null) {
        const both: FoundPeer | null = typeof found === 'string' ? null : found
        left = both?.hosts ?? serving.able(left, test)
        peer = both?.peer ?? peer
        tests.push(plannedTest(suite, test, guest.family, lab))
      } else {
        leftOut.push({ test: test.id, ...out, level: test.level })
      }
    }
  }
  const pairs = pairingOf(own)
  return {
    ...pairs,
    emulated: pairs.emulated || (peer !== null && pairingOf(peer).emulated),
    ...(peer === null ? {} : { peer: pairingOf(peer) }),
    hosts: left,
    tests,
    leftOut,
  }
}

function pairingOf({ id, guest, host, placement }: Candidate): PlannedPairing {
  return {
    id,
    guest: {
      id: guest.id,
      product: guest.product,
      version: guest.version,
      edition: guest.edition ?? null,
      ...(guest.driverSigners === undefined ? {} : { driverSigners: guest.driverSigners }),
      arch: guest.arch,
      family: guest.family,
      shell: guest.shell,
    },
    hypervisor: { product: host.product, version: host.version },
    configuration: placement.configuration,
    emulated: guest.emulated !== undefined || host.emulated !== undefined,
  }
}

function whyNotOnGuest(test: SuiteTest, pairing: Pairing): string | null {
  const unsaid = whatIsUnsaid(test.needs.configuration, pairing.configuration)
  if (unsaid !== null) {
    return unsaid
  }
  if (test.needs.guest.includes('reboot') && !mayReboot(pairing.guest, pairing.host.driver)) {
    return 'the lab does not say that this guest, which runs already, may be rebooted (reboot: true)'
  }
  return null
}

/** What one test needs narrows down the hosts for all of its environment. */
function whyNotOnHosts(test: SuiteTest, hosts: readonly string[], serving: Serving): string | null {
  return serving.able(hosts, test).length > 0 ? null : serving.whyNone(hosts, test)
}

function whyNotAltered(test: SuiteTest, placement: Placement, mayRevert: boolean): string | null {
  return test.isolation !== 'shared' && placement.clean.kind === 'none' && !mayRevert
    ? 'it alters the guest, and the lab names no clean state to return to'
    : null
}

function whyNotNow(
  test: SuiteTest,
  taken: ReadonlySet<string>,
  leftOut: readonly LeftOut[],
): LeftOutReason | null {
  if (!taken.has(test.id)) {
    return { kind: 'not-chosen', why: 'not chosen' }
  }
  const missing = leftOut.find(left => test.after.includes(left.test))
  return missing === undefined
    ? null
    : { kind: missing.kind ?? 'unable', why: `it comes after ${missing.test}, which is left out` }
}

function plannedTest(suite: Suite, test: SuiteTest, family: Family, lab: Lab): PlannedTest {
  return {
    id: test.id,
    suite: suite.id,
    suiteVersion: suite.version,
    suiteDigest: suite.digest,
    title: test.title,
    level: test.level,
    requirements: test.requirements,
    protocol: test.protocol,
    ...(test.parameters === undefined ? {} : { parameters: test.parameters }),
    ...(test.codes === undefined ? {} : { codes: test.codes }),
    file: test.file,
    manifest: suite.manifest,
    line: test.line,
    limitMs: test.limitMs ?? lab.limits.test,
    isolation: test.isolation,
    ...(test.parallel === undefined ? {} : { parallel: true }),
    provenOn: provenOn(test, family),
    after: test.after,
    ...(test.needs.locks.length === 0 ? {} : { locks: test.needs.locks }),
    ...(test.needs.host.includes('migrate') ? { migrates: true } : {}),
    ...(test.needs.peer === undefined ? {} : { peer: true }),
  }
}

function provenOn({ proof }: SuiteTest, family: Family): 'real' | 'emulated' | 'nothing' {
  return proof === null ? 'nothing' : proof.real[family] === undefined ? 'emulated' : 'real'
}
