import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Host, Lab } from '../../config/model.js'
import type { ContractSubject } from '../../hypervisors/contract/subject.js'
import type { Driver, GuestRequest } from '../../hypervisors/driver.js'
import { openLeases } from '../../hypervisors/lease.js'
import { hostLimits } from '../../hypervisors/limit.js'
import { unheard } from '../../hypervisors/shared/exchanges.js'
import { makeScrub } from '../../text/scrub.js'
import { conduct, HostTap, type PartResult } from './conduct.js'
import { guestInside } from './inside.js'
import type { Scratch } from './scratch.js'
import { Exchanges, type Transcript } from './transcript.js'

export interface ContractRequest {
  readonly lab: Lab
  readonly scratch: Scratch
  /** The host's driver, and another one that is opened apart: what it sees is no account of the first. */
  readonly driver: Driver
  readonly witness: Driver
  readonly who: string
  /** The program's version, and what day it is. */
  readonly guestcert: string
  readonly day: string
  /** What is kept out of the transcript beside addresses and names: secrets. */
  readonly redact: (text: string) => string
  readonly signal: AbortSignal
  readonly onWait: (machine: string, owner: string) => void
  readonly onBegin: (title: string) => void
  readonly onResult: (result: PartResult) => void
}

/** What a contract test came to. */
export interface ContractReport {
  readonly results: readonly PartResult[]
  readonly transcript: Transcript
}

/**
 * Tests on a host whether its driver keeps the contract, with a scratch VM that is made again and again and of which
 * nothing stays. Holds the host's lease meanwhile. Throws InfraError when the host cannot be reached.
 */
export async function testContract(given: ContractRequest): Promise<ContractReport> {
  const { lab, scratch, driver, witness, signal } = given
  const { host, guest, placement } = scratch
  const run = `contract-${randomBytes(4).toString('hex')}`
  const leases = openLeases({ who: given.who, run, limits: lab.limits })
  const evidenceFolder = await mkdtemp(join(tmpdir(), 'guestcert-contract-'))
  try {
    const facts = await driver.facts(signal)
    await leases.hold({ host, guest, placement, driver, signal, onWait: given.onWait })
    const names = await namesOf(lab, host, driver, signal)
    const scrub = makeScrub(names, [host.driver.name, 'root', 'Administrator'])
    const clean = (text: string): string => scrub(given.redact(text))
    const request: GuestRequest = {
      instance: `gc-${run}-e1-1`,
      guest,
      placement,
      evidenceFolder,
      limits: lab.limits,
    }
    const tap = new HostTap()
    const exchanges = new Exchanges(clean)
    const subject = subjectOf({ lab, host, request, driver, witness, tap, signal })
    const results = await conduct({
      subject,
      tap,
      exchanges,
      onResult: given.onResult,
      onBegin: given.onBegin,
    })
    const transcript: Transcript = {
      format: 1,
      driver: host.driver.name,
      product: host.product,
      version: host.version,
      real: host.emulated === undefined && guest.emulated === undefined,
      guestcert: given.guestcert,
      day: given.day,
      facts: Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, clean(value)])),
      results: results.map(({ part, state, seen }) => ({ part, state, seen: clean(seen) })),
      exchanges: exchanges.list(),
    }
    return { results, transcript }
  } finally {
    await leases.close()
    await rm(evidenceFolder, { recursive: true, force: true })
  }
}

interface SubjectParts extends Pick<ContractRequest, 'lab' | 'driver' | 'witness' | 'signal'> {
  readonly host: Host
  readonly request: GuestRequest
  readonly tap: HostTap
}

function subjectOf({ lab, host, request, driver, witness, tap, signal }: SubjectParts): ContractSubject {
  const inside = guestInside({ lab, request, signal })
  const { instance } = request
  const left = async (): Promise<readonly string[]> => {
    if (witness.remains !== undefined) {
      return witness.remains(instance, signal)
    }
    const found = (await witness.leftovers?.(signal)) ?? []
    return found.filter(({ name }) => name === instance).map(({ name, what }) => `${name}: ${what}`)
  }
  return {
    driver,
    request,
    signal,
    // Its guest goes down first, and some hosts wait whether it comes back.
    lossMs: lab.limits.boot + hostLimits(host.limits).restart.ms,
    left: () => unheard(left),
    hearsCommands: () => tap.isUsed,
    onCommand: tap.onCommand,
    refuse: tap.refuse,
    end: inside.powerOff,
    restart: inside.reboot,
    inside,
  }
}

/** All that a host may be called: as the lab has it, and as it calls itself. A name such as "vm" is a word as well. */
async function namesOf(lab: Lab, host: Host, driver: Driver, signal: AbortSignal): Promise<string[]> {
  const machine = await driver.machine?.(signal)
  const said = await machine?.run('hostname', { signal, limitMs: lab.limits.command })
  const own = said === undefined ? '' : said.stdout.text.trim()
  const { connect, api } = host
  const url = api === undefined ? undefined : new URL(api.url).hostname
  const users = [connect?.login.user, api?.user]
  return [
    hostname(),
    own,
    host.id,
    connect?.endpoint.host,
    ...(connect?.endpoint.jumps ?? []),
    url,
    api?.host,
    ...users,
  ]
    .filter(name => name !== undefined)
    .filter(name => /^[\w.@-]{4,}$/.test(name))
}
