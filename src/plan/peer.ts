import { demandOf, fitsEmpty, together } from '../config/demand.js'
import type { Guest, Host, Lab, Placement } from '../config/model.js'
import { whyNot } from './match.js'
import type { SuiteTest } from './suite.js'

/** A guest in a configuration, and the hosts of one product and version that can serve it. */
export interface Candidate {
  readonly id: string
  readonly guest: Guest
  readonly host: Host
  readonly placement: Placement
  readonly hosts: readonly string[]
}

/** Whose peer is looked for, and among whom. */
export interface PeerSearch {
  readonly own: Candidate
  /** The hosts that can serve it. */
  readonly hosts: readonly string[]
  /** The peer of the tests before this one: an environment has one. */
  readonly chosen: Candidate | null
  /** Every environment that the choice leaves, in the order of the lab. */
  readonly all: readonly Candidate[]
  readonly lab: Lab
}

/** A peer, and the hosts on which both guests can be. */
export interface FoundPeer {
  readonly peer: Candidate
  readonly hosts: readonly string[]
}

/**
 * The guest that a test is given beside its own: the first of the lab that fits and that can be on the same host, where
 * guests reach each other. Returns why there is none, in words.
 */
export function findPeer(test: SuiteTest, search: PeerSearch): FoundPeer | string {
  const { own, chosen, all } = search
  const others = all.filter(({ guest }) => guest.id !== own.guest.id)
  if (others.length === 0) {
    return 'it needs a peer, and there is no other guest in this run'
  }
  const reasons = new Set<string>()
  for (const peer of chosen === null ? others : [chosen]) {
    const found = fits(test, peer, search)
    if (typeof found !== 'string') {
      return found
    }
    reasons.add(found)
  }
  return `it needs a peer: ${[...reasons].join('; ')}`
}

function fits(test: SuiteTest, peer: Candidate, { own, hosts, lab }: PeerSearch): FoundPeer | string {
  const pairing = { guest: peer.guest, host: peer.host, configuration: peer.placement.configuration }
  const mismatch = whyNot(test.needs.peer ?? null, pairing)
  if (mismatch !== null) {
    return `${peer.guest.id}: ${mismatch.why}`
  }
  const shared = hosts.filter(host => peer.hosts.includes(host))
  if (shared.length === 0) {
    return `${peer.guest.id} is on no host of this guest`
  }
  const meeting = shared.filter(host => lab.hosts.get(host)?.driver.guestsMeet === true)
  if (meeting.length === 0) {
    return `guests on ${shared.join(', ')} are not known to reach each other`
  }
  const roomy = meeting.filter(host => hasRoomForBoth(lab.hosts.get(host), own, peer))
  if (roomy.length === 0) {
    return `${meeting.join(', ')} cannot hold ${own.guest.id} and ${peer.guest.id} at once`
  }
  if (test.isolation !== 'shared' && peer.placement.clean.kind === 'none') {
    return `the test alters its guests, and the lab names no clean state of ${peer.guest.id}`
  }
  return { peer, hosts: roomy }
}

/** Where a candidate's guest is on a host; `null` where it is not. */
export function placementOn(
  { on }: Pick<Guest, 'on'>,
  host: string,
  configuration: string,
): Placement | null {
  return on.find(place => place.host === host && place.configuration.name === configuration) ?? null
}

function hasRoomForBoth(host: Host | undefined, ...both: readonly [Candidate, Candidate]): boolean {
  const [one, other] = both.map(({ guest, placement }) =>
    placementOn(guest, host?.id ?? '', placement.configuration.name),
  )
  return host !== undefined && one != null && other != null
    ? fitsEmpty(together(demandOf(one), demandOf(other)), host.capacity)
    : false
}
