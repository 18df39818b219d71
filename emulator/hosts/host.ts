import type { EmulatedGuest } from '../guest.js'
import { startLinuxGuest } from '../linux-start.js'
import { loadGuestPersona, loadManagedHostPersona } from '../persona/load.js'
import type { ManagedHostPersona } from '../persona/schema.js'
import { makePrograms } from '../programs/table.js'
import { type HostKey, makeHostKey, readHostKey } from '../server/host-key.js'
import {
  type EmulatedHostSpec,
  emulatedGuestSchema,
  emulatedHostSchema,
  type ParsedHostSpec,
} from '../spec.js'
import type { ProgramTable } from '../system/programs.js'
import { isWindowsPersona, loadWindowsPersona } from '../windows/persona/load.js'
import type { Load } from './capacity.js'
import { Inventory } from './esxi/inventory.js'
import { placeEsxiVms } from './esxi/place.js'
import { esxcliProgram, vmkfstoolsProgram, vmwareProgram } from './esxi/tools.js'
import { vimCmdProgram } from './esxi/vim-cmd.js'
import { startHyperVHost } from './hyperv/start.js'
import { Hypervisor } from './hypervisor.js'
import { installNeighbours, neighbours } from './network.js'
import { qemuImgProgram } from './qemu-img.js'
import { Site } from './site.js'
import { generationOf } from './virsh/generation.js'
import { virshProgram } from './virsh/program.js'
import { nameOf } from './vm.js'
import { Machines } from './vmrun/machines.js'
import { placeVmrunVms } from './vmrun/place.js'
import { vmrunProgram, vmwareVersionProgram } from './vmrun/program.js'
import { placeVms } from './vms.js'
import type { ApiServer } from './vsphere/server.js'
import { xlProgram } from './xen/program.js'
import type { XenHost } from './xen/session.js'
import { endLog } from './xen/watcher.js'
import { xmProgram } from './xen/xm.js'
import { joinPool } from './xenserver/place.js'
import type { Member, Pool } from './xenserver/pool.js'
import { xeProgram } from './xenserver/program.js'

/** An emulated host that was started. */
export interface EmulatedHost {
  /** The machine that the hypervisor runs on. */
  readonly machine: EmulatedGuest
  /** Fingerprints of the host keys of its guests, by the name of their virtual machine. */
  readonly guestKeys: ReadonlyMap<string, { readonly pem: string; readonly fingerprint: string }>
  /** The API that its guests are managed through, where it is no program of the machine. */
  readonly api?: Pick<ApiServer, 'port' | 'certificate'>
  /** The most that ran on it at once, by its own count. */
  readonly most: Load
  /** The names of the virtual machines that run. */
  running(): readonly string[]
  /** Of Hyper-V: all that it has, by its own count: machines with their states, folders of instances, claims. */
  account?(): readonly string[]
  close(): Promise<void>
}

const linuxPrograms = makePrograms()

/** The vendors' parts of the addresses that their hypervisors make. */
const macPrefixes: Readonly<Record<string, string>> = {
  xen: '00:16:3e',
  'hyper-v': '00:15:5d',
  vmware: '00:0c:29',
}

/**
 * Starts an emulated host: a Linux machine, and a hypervisor that its programs speak to. Hosts of one site know each
 * other.
 */
export async function startEmulatedHost(spec: EmulatedHostSpec, site = new Site()): Promise<EmulatedHost> {
  const parsed = emulatedHostSchema.parse(spec)
  const persona = loadManagedHostPersona(parsed.persona, parsed.personaFolders)
  const keys = await guestKeys(parsed, site)
  const hypervisor: Hypervisor = new Hypervisor({
    platform: parsed.persona,
    macPrefix: macPrefixes[persona.hypervisor.id] ?? '52:54:00',
    nodeMemoryKiB: persona.node.memoryKiB - (persona.xen?.dom0KiB ?? 0),
    faults: parsed.faults,
    store: site.store,
    leases: site.leases,
    consoles: {
      hasLogs: persona.libvirt !== undefined && generationOf(persona.libvirt.version).has('1.3.3'),
      isXen: persona.hypervisor.id === 'xen',
    },
    onEnd: end => {
      if (booted) endLog(booted, end)
    },
    tree: () => {
      if (!booted) throw new Error('a host that has not booted has no disk')
      return booted
    },
  })
  let booted: Hypervisor['tree'] | undefined
  const { hyperv } = persona
  if (hyperv) {
    return startHyperVHost({
      hypervisor,
      persona: { ...persona, hyperv },
      parsed,
      machine: machineSpec(parsed, persona),
      keys,
      onTree: tree => {
        booted = tree
      },
    })
  }
  const pool = persona.xenserver ? site.pool(parsed.persona) : undefined
  const { esxi, vmrun } = persona
  const machines = vmrun && new Machines(hypervisor, { ...persona, vmrun }, parsed.faults)
  const inventory = esxi && new Inventory(hypervisor, { ...persona, esxi }, parsed.faults)
  const own = hostPrograms({ hypervisor, persona, site, pool, inventory, machines }, parsed)
  const programs: ProgramTable = name => own(name) ?? linuxPrograms(name)
  // A machine that its vCenter moves keeps its network.
  const inReach = (): ReturnType<typeof neighbours> =>
    persona.vsphere ? site.vsphere.neighbours() : neighbours(hypervisor, persona)
  const up = promise()
  const machine = await startLinuxGuest(machineSpec(parsed, persona), {
    programs,
    onUp: up.resolve,
    forward: (host, port) => {
      const found = port === 22 && inReach().find(({ address }) => address === host)
      return found ? { host: found.host, port: found.port } : undefined
    },
    onBoot: ({ tree }) => {
      const isFirst = booted === undefined
      booted = tree
      site.mount(tree)
      if (pool) site.mount(tree, pool.folder)
      if (pool && isFirst) joinPool(pool, hypervisor, parsed, persona)
      if (isFirst && inventory) placeEsxiVms(inventory, parsed, keys)
      else if (isFirst && machines) placeVmrunVms(machines, parsed, keys)
      else if (isFirst && !persona.vsphere) placeVms(hypervisor, persona, parsed, keys, pool)
      installNeighbours(tree, hypervisor, persona)
      // Disks of a pool and of an ESXi host lie elsewhere, and those of a vCenter are placed later.
      if (parsed.faults.noSpace && !pool && !persona.vsphere && !inventory && !machines)
        tree.room.freeBytes = 0
    },
    onCommand: command => {
      const { gone } = parsed.faults
      if (gone && new RegExp(gone.command).test(command)) void close()
    },
  })
  if (persona.libvirt) site.join(parsed.name, { uri: persona.libvirt.uri, hypervisor, ssh: machine })
  let api: ApiServer | undefined
  const close = async (): Promise<void> => {
    site.leave(parsed.name)
    await Promise.all([
      machine.close(),
      hypervisor.close(),
      api === undefined ? undefined : site.vsphere.leave(),
    ])
  }
  // Hosts stand before anyone asks them for guests.
  await up.promise
  if (persona.vsphere) {
    api = await site.vsphere.join({ hypervisor, persona, spec: parsed, keys, onGone: () => void close() })
    if (parsed.faults.noSpace) hypervisor.tree.room.freeBytes = 0
  }
  return {
    machine,
    ...(api === undefined ? {} : { api }),
    guestKeys: keys,
    get most() {
      return hypervisor.load.most
    },
    running: () =>
      hypervisor
        .list()
        .filter(({ running }) => running)
        .map(nameOf),
    close,
  }
}

function promise(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => {}
  const promise = new Promise<void>(settle => {
    resolve = settle
  })
  return { promise, resolve: () => resolve() }
}

interface HostParts {
  readonly hypervisor: Hypervisor
  readonly persona: ManagedHostPersona
  readonly site: Site
  readonly pool: Pool | undefined
  readonly inventory: Inventory | undefined
  readonly machines: Machines | undefined
}

function hostPrograms(
  { hypervisor, persona, site, pool, inventory, machines }: HostParts,
  { faults }: ParsedHostSpec,
): ProgramTable {
  const slowMs = faults.slow?.ms ?? 0
  const xen: XenHost = { hypervisor, persona, slowMs, saved: new Map() }
  const programs = new Map([
    ['qemu-img', qemuImgProgram(hypervisor.images)],
    ['xm', xmProgram(xen)],
    ['xl', xlProgram(xen)],
  ])
  if (pool) {
    const member = (): Member => {
      const found = pool.members.find(each => each.hypervisor === hypervisor)
      if (!found) throw new Error('the host has not joined its pool')
      return found
    }
    programs.set('xe', xeProgram({ pool, persona, faults, member }))
  }
  if (inventory) {
    programs.set('vim-cmd', vimCmdProgram(inventory))
    programs.set('esxcli', esxcliProgram(inventory))
    programs.set('vmkfstools', vmkfstoolsProgram(inventory))
    programs.set('vmware', vmwareProgram(inventory))
  }
  if (machines) {
    programs.set('vmrun', vmrunProgram(machines))
    programs.set('vmware', vmwareVersionProgram(machines))
  }
  const { libvirt } = persona
  if (libvirt)
    programs.set('virsh', virshProgram({ hypervisor, persona: { ...persona, libvirt }, slowMs, site }))
  return name => programs.get(name)
}

function machineSpec(
  spec: ParsedHostSpec,
  persona: ManagedHostPersona,
): ReturnType<typeof emulatedGuestSchema.parse> {
  const { cells, sockets, cores, threads, memoryKiB } = persona.node
  // What a kernel under Xen sees of itself is what every guest there sees.
  const isXen = persona.hypervisor.id === 'xen'
  return emulatedGuestSchema.parse({
    name: spec.name,
    persona: persona.machine.persona,
    personaFolders: spec.personaFolders,
    ...(isXen ? { platform: spec.persona } : {}),
    hardware: {
      vcpus: cells * sockets * cores * threads,
      memoryBytes: memoryKiB * 1024,
      ...(isXen ? { mode: 'pv' } : {}),
    },
    users: spec.users,
    host: spec.host,
    port: spec.port,
    ...(spec.hostKey === undefined ? {} : { hostKey: spec.hostKey }),
  })
}

/** Guests keep their host keys over snapshots and copies, so each virtual machine has one from the start. */
function guestKeys(spec: ParsedHostSpec, site: Site): Map<string, HostKey> {
  return new Map(
    spec.vms.map(({ name, guest }) => {
      const known = spec.guestKeys[name]
      if (known !== undefined) return [name, readHostKey(known)] as const
      const { ssh } = isWindowsPersona(guest.persona, spec.personaFolders)
        ? loadWindowsPersona(guest.persona, spec.personaFolders)
        : loadGuestPersona(guest.persona, spec.personaFolders)
      const words = `${name} ${ssh.hostKey}`
      const key = site.keys.get(words) ?? makeHostKey(ssh.hostKey)
      site.keys.set(words, key)
      return [name, key] as const
    }),
  )
}
