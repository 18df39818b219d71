import type { Leftover } from '../driver.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { giveBack } from '../managed-vm/give-back.js'
import { type Claim, listClaims, removeClaim } from '../shared/claims.js'
import { logPieces } from '../shared/evidence.js'
import type { CallOptions } from '../shared/host-commands.js'
import { readInstanceName } from '../shared/names.js'
import { removeFiles } from '../shared/storage.js'
import { type DomainPlace, domainVm } from './domain-vm.js'
import { emulatorLog } from './evidence.js'
import { domainXml, type LibvirtHost, listDomains, stateOf } from './host.js'
import { createHotplug } from './hotplug.js'
import { ownFiles } from './own-files.js'
import { deleteSnapshot, lentSnapshots, listSnapshots, snapshotPrefix } from './snapshots.js'
import { textAt } from './xml.js'

/** An instance on a host: of a run that goes on, or of one that is dead. Whoever asks knows the runs. */
export interface LeftInstance {
  readonly name: string
  readonly run: string
  readonly environment: number
  readonly number: number
  /** The VM that serves as the instance itself; `null` when the instance is a domain of its own. */
  readonly vm: string | null
  /** What libvirt says: `running`, `shut off`, …; `null` when the domain is not there. */
  readonly state: string | null
  /** Who made it and when, for people. */
  readonly note: string
  /** True when it was left on purpose. */
  readonly kept: boolean
}

/** Every instance on a host, whoever's run it was. */
export async function listInstances(host: LibvirtHost, call: CallOptions): Promise<LeftInstance[]> {
  const domains = await listDomains(host.virsh, call)
  const claims = await listClaims(host.virsh, call)
  const found: LeftInstance[] = []
  for (const [name, { state }] of domains) {
    const parts = readInstanceName(name)
    if (parts !== null) {
      const xml = await domainXml(host, name, 'inactive', call).catch(() => null)
      const note = xml === null ? '' : (textAt(xml, 'description') ?? '')
      const kept = claims.some(({ instance, kept: isKept }) => instance === name && isKept === true)
      found.push({ name, ...parts, vm: null, state, note, kept })
    }
  }
  for (const { instance, vm, runner, at, kept = false } of claims) {
    const parts = readInstanceName(instance)
    if (parts !== null && !domains.has(instance)) {
      const state = domains.get(vm)?.state ?? null
      found.push({
        name: instance,
        ...parts,
        vm,
        state,
        note: `${runner}, ${at}`,
        kept: kept && state !== null,
      })
    }
  }
  return found
}

/** An instance as `guestcert lab clean` speaks of it. */
export function describeInstance({ name, run, vm, state, note, kept }: LeftInstance): Leftover {
  const what = vm === null ? `domain, ${state ?? 'not there'}` : `the VM ${vm}, ${state ?? 'not there'}`
  return { name, run, what: note === '' ? what : `${what}; ${note}`, shared: vm !== null, kept }
}

/** Ends an instance that a dead run left and removes what was made for it, and nothing else. */
export async function removeInstance(host: LibvirtHost, name: string, call: CallOptions): Promise<void> {
  const claim = (await listClaims(host.virsh, call)).find(({ instance }) => instance === name)
  if (claim !== undefined && claim.vm !== name) {
    await releaseVm(host, claim, call)
  }
  if (readInstanceName(name) !== null) {
    await removeDomain(host, name, call)
    // Last of all: until then it can be found.
    await removeClaim(host.virsh, name, call)
  }
}

/** Destroys an instance's own domain, removes its files, and undefines it last: until then it can be found. */
export async function removeDomain(host: LibvirtHost, domain: string, call: CallOptions): Promise<void> {
  if ((await stateOf(host, domain, call)) === null) {
    return
  }
  const live = await domainXml(host, domain, 'live', call)
  const files = new Set([...ownFiles(live, domain), ...logPieces(emulatorLog(domain))])
  for (const file of ownFiles(await domainXml(host, domain, 'inactive', call), domain)) {
    files.add(file)
  }
  await endDomain(host, domain, call)
  await removeFiles(host.virsh, [...files], { ...call, limit: host.limits.storage })
  if ((await stateOf(host, domain, call)) !== null) {
    await host.virsh.callWith(
      ['undefine', domain],
      ['--managed-save', '--snapshots-metadata', '--nvram'],
      call,
    )
  }
}

/** Takes back what an instance did to a VM that it was itself. */
async function releaseVm(
  host: LibvirtHost,
  { instance, vm, ran, found }: Claim,
  call: CallOptions,
): Promise<void> {
  const { signal } = call
  if ((await stateOf(host, vm, call)) !== null) {
    const live = await domainXml(host, vm, 'live', call)
    if (found !== undefined) {
      const place = placeOf(host, vm, instance)
      await giveBack({ ...domainVm(place), ...createHotplug(place), ...lentSnapshots(place) }, found, signal)
    } else {
      if (!ran) {
        await endDomain(host, vm, call)
      }
      for (const name of (await listSnapshots(host, vm, call)).filter(name =>
        name.startsWith(snapshotPrefix),
      )) {
        await deleteSnapshot(host, vm, name, { ...call, limit: host.limits.snapshot })
      }
    }
    await removeFiles(host.virsh, ownFiles(live, instance), call)
  }
  await removeClaim(host.virsh, instance, call)
}

/** Ends a domain by force, if it runs, and sees that it has. */
async function endDomain(host: LibvirtHost, domain: string, { where, signal }: CallOptions): Promise<void> {
  const vm = domainVm(placeOf(host, domain, where))
  await awaitSent(vm, vm.kill(signal), signal)
}

function placeOf(host: LibvirtHost, domain: string, instance: string): DomainPlace {
  return { location: { host, hasMoved: false }, domain, instance, snapshots: new Set(), tellsPanics: false }
}
