import { isIP } from 'node:net'
import type { Ability, GuestRequest } from '../driver.js'
import type { Command, VmBackend, VmCommands } from '../managed-vm/backend.js'
import { accessAt } from '../reach.js'
import { type GuestAddress, type Looked, usableAddresses, waitForAddresses } from '../shared/addresses.js'
import { newClaim, runnerName } from '../shared/claims.js'
import { type CallOptions, hostError, refused } from '../shared/host-commands.js'
import { differences, nicModel, planClone, unlike } from './clone.js'
import { createHotplug, type Hotplug, screenshotOf } from './devices.js'
import { findMachine, type HyperVHost } from './host.js'
import { identityOf } from './image.js'
import { keptNotes, removeClaim, removeInstance, writeClaim } from './instances.js'
import { cardOf, driveOf, macOf, type Read, readRow, readRows, understand } from './output.js'
import { createSnapshots, revertTo } from './snapshots.js'
import { askVm, callOf, type HyperVPlace, hyperVVm, lookAt, turnOff } from './vm.js'

/** What is learned of an instance's host before it is prepared. */
export interface Below {
  readonly abilities: ReadonlySet<Ability>
  /** Facts of the host that say what the guest runs on. */
  readonly facts: Readonly<Record<string, string>>
  /** Where the host keeps virtual machines. */
  readonly folder: string
}

export interface HyperVBackendRequest {
  readonly host: HyperVHost
  readonly request: GuestRequest
  /** Asked when the instance is prepared. */
  readonly below: (signal: AbortSignal) => Promise<Below>
}

/** One virtual machine of Hyper-V's as `ManagedVm` drives it. */
export function hyperVBackend({ host, request, below: askBelow }: HyperVBackendRequest): VmBackend {
  const { instance, placement } = request
  const { clean, vm: named } = placement
  const { limits } = host
  const lent = clean.kind === 'none'
  const isOwn = clean.kind === 'copy' || clean.kind === 'overlay'
  const place: HyperVPlace = { host, instance, id: null }
  const vm = hyperVVm(place)
  const quick = (signal: AbortSignal): CallOptions => callOf(place, signal)
  let below: Below = { abilities: new Set(), facts: {}, folder: '' }
  let image: Readonly<Record<string, string>> = {}
  let hotplug: Hotplug | null = null

  const prepareOwn = async (signal: AbortSignal, template: Read<'looked'>): Promise<void> => {
    if (clean.kind !== 'copy' && clean.kind !== 'overlay') {
      return
    }
    if (template.state !== 'Off') {
      const why = `the VM ${template.name} must be off: its state is ${template.state}, and its disk must not change`
      throw refused(instance, `${host.id}: ${why}`)
    }
    // What an earlier try left is in the way.
    await removeInstance(host, instance, quick(signal))
    if (host.isScripted && !/\.vhd$/i.test(clean.path)) {
      throw refused(instance, `${host.id}: ${clean.path} is not a VHD: hosts of 2008 have no other disks`)
    }
    const plan = understood(() => planClone(template, { instance, path: clean.path, root: below.folder }))
    image = await identityOf(host, clean.path, callOf(place, signal, 'storage'))
    const { disk, folder, parent } = plan
    const copied = callOf(place, signal, 'storage')
    const disks = await host.ask('makeDisk', [clean.kind, clean.path, disk.path], copied)
    const { parent: from } = readRow('parent', disks)
    if (clean.kind === 'overlay' && from?.toLowerCase() !== clean.path.replaceAll('/', '\\').toLowerCase()) {
      throw hostError(
        instance,
        `${instance} on ${host.id}: its disk differs from ${from || 'none'}, not from ${clean.path}`,
      )
    }
    const drive = [disk.type, disk.number, disk.location, disk.path].join('\t')
    const notes = `guestcert: ${runnerName()}, ${new Date().toISOString()}`
    const keep = placement.endpoint === undefined ? '' : 'keep'
    const args = [template.id, instance, parent, notes, drive, keep]
    const rows = await host.ask('clone', args, callOf(place, signal, 'start'))
    place.id = readRow('made', rows).id
    const made = await lookAt(place, quick(signal))
    const differs = made === null ? ['it is not there'] : unlike(made, template, disk)
    if (differs.length > 0) {
      throw hostError(
        instance,
        `${instance} on ${host.id}: it was not made as it should be: ${differs.join('; ')}`,
      )
    }
    hotplug = createHotplug({ place, folder, memoryBytes: template.startup })
  }

  const prepareNamed = async (signal: AbortSignal, template: Read<'looked'>): Promise<void> => {
    if (lent && template.state.includes('Saved')) {
      const why = `the VM ${template.name} is saved, and could not be given back so: start it or turn it off`
      throw refused(instance, `${host.id}: ${why}`)
    }
    place.id = template.id
    if (clean.kind === 'snapshot') {
      await writeClaim(host, newClaim(instance, template.name), quick(signal))
      await revertTo(place, clean.name, signal)
    }
  }

  const ifPlugged = <K extends keyof Hotplug>(name: K): Hotplug[K] => {
    const call = async (...given: Parameters<Hotplug[K]>): Promise<unknown> => {
      if (hotplug === null) {
        throw refused(instance, 'only of an instance that is a virtual machine of its own')
      }
      return (hotplug[name] as (...args: readonly unknown[]) => Promise<unknown>)(...given)
    }
    return call as unknown as Hotplug[K]
  }
  const own: VmCommands = isOwn
    ? {
        ...createSnapshots(place),
        attachDisk: ifPlugged('attachDisk'),
        detachDisk: ifPlugged('detachDisk'),
        attachNic: ifPlugged('attachNic'),
        detachNic: ifPlugged('detachNic'),
        setMemory: ifPlugged('setMemory'),
      }
    : {}
  const begin: Command = vm.start

  return {
    ...vm,
    ...own,
    lent,
    graceMs: 0,
    keepHint: `vmconnect.exe ${host.id} "${isOwn ? instance : (named ?? instance)}"`,
    begin,
    screenshot: screenshotOf(place, request.evidenceFolder),
    prepare: async signal => {
      below = await askBelow(signal)
      const template = await readTemplate(host, request, quick(signal))
      await (isOwn ? prepareOwn(signal, template) : prepareNamed(signal, template))
    },
    claim: async (found, signal) => {
      await writeClaim(host, newClaim(instance, named ?? instance, found), quick(signal))
    },
    describe: async signal => {
      const looked = await lookAt(place, quick(signal))
      if (looked === null) {
        throw hostError(instance, `${instance} on ${host.id}: the virtual machine is no longer there`)
      }
      const facts = { ...factsOf(looked), ...image, ...below.facts }
      return { host: host.id, incarnation: null, facts, abilities: below.abilities, console: null }
    },
    watch: tell => host.watch.add(place.id ?? instance, tell),
    access: async (limit, signal) => {
      const call = quick(signal)
      const via = placement.viaHost ? { via: await host.connection.machine(signal) } : {}
      if (placement.endpoint !== undefined) {
        return { ...accessAt(placement.endpoint, []), ...via }
      }
      const macs = ((await lookAt(place, call))?.nics ?? []).map(nic => cardOf(nic).mac)
      const wait = { host: host.id, macs, call, limit, everyMs: limits.lookEvery.ms }
      return {
        ...accessAt(undefined, await waitForAddresses(() => lookForAddresses(place, call), wait)),
        ...via,
      }
    },
    remove: async signal => {
      if (isOwn) {
        await removeInstance(host, instance, quick(signal))
        place.id = null
        return
      }
      if (!lent) {
        await turnOff(place, signal)
      }
      await removeClaim(host, instance, quick(signal))
    },
    keep: async (found, signal) => {
      if (isOwn) {
        await askVm(place, 'notes', [`${keptNotes}${runnerName()}`], quick(signal))
        return
      }
      await writeClaim(host, { ...newClaim(instance, named ?? '', found), kept: true }, quick(signal))
    },
  }

  function understood<T>(plan: () => T): T {
    try {
      return plan()
    } catch (error) {
      throw refused(
        instance,
        `the VM ${named} on ${host.id}: ${error instanceof Error ? error.message : error}`,
      )
    }
  }
}

/** The host's virtual machine that the lab names, which must be as the lab declares it. */
async function readTemplate(
  host: HyperVHost,
  { instance, placement }: GuestRequest,
  call: CallOptions,
): Promise<Read<'looked'>> {
  const { vm = '' } = placement
  const listed = await findMachine(host, vm, call)
  const looked = listed === null ? null : await lookAt({ host, instance, id: listed.id }, call)
  if (looked === null) {
    throw refused(instance, `${host.id} has no virtual machine with the name ${vm}`)
  }
  if (looked.clustered) {
    throw refused(
      instance,
      `the VM ${vm} belongs to a cluster, which may move it and start it: it is left alone`,
    )
  }
  const differs = understand(host.id, () => differences(looked, placement.configuration))
  if (differs.length > 0) {
    throw refused(instance, `the VM ${vm} is not as the lab declares it: ${differs.join('; ')}`)
  }
  return looked
}

/** What its guest says of its addresses, which may be nothing for a while, and what the host has seen. */
async function lookForAddresses(place: HyperVPlace, call: CallOptions): Promise<Looked> {
  const rows = readRows('addresses', await askVm(place, 'addresses', [], call))
  const addressesOf = (pick: (row: Read<'addresses'>) => readonly string[]): GuestAddress[] =>
    // What a guest tells may be anything.
    rows.flatMap(row =>
      pick(row)
        .filter(ip => isIP(ip) !== 0)
        .map(ip => ({ mac: macOf(row.mac), ip })),
    )
  const [given, seen] = [addressesOf(row => row.given), addressesOf(row => row.seen)]
  const macs = rows.map(({ mac }) => macOf(mac))
  return {
    addresses: usableAddresses([...given, ...seen], macs),
    notes: [
      `its integration services told ${given.length} addresses`,
      `the host's neighbours have ${seen.length}`,
    ],
  }
}

function factsOf(looked: Read<'looked'>): Record<string, string> {
  const { name, generation, cpus, startup, dynamic, secureBoot } = looked
  const disk = looked.disks.map(driveOf)[0]
  const card = looked.nics.map(cardOf)[0]
  return {
    'virtual machine': name,
    'vm generation': String(generation),
    'vm vcpus': String(cpus),
    'vm memory': `${startup / 2 ** 20} MiB`,
    'vm dynamic memory': dynamic ? 'on' : 'off',
    ...(secureBoot === null ? {} : { 'vm secure boot': secureBoot }),
    ...(disk === undefined ? {} : { disk: disk.type.toLowerCase() }),
    ...(card === undefined ? {} : { nic: nicModel(card.isLegacy) }),
  }
}
