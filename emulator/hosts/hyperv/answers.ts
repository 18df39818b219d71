import { fromText } from '../../files/bytes.js'
import { SystemError } from '../../files/errno.js'
import { kernelViewer } from '../../files/tree.js'
import { HostRefusal, type HostRow } from '../../windows/powershell/host-texts.js'
import { digest, diskOf, macOf, memoryKiB, nicsOf, vcpusOf } from '../domain.js'
import { neighbours } from '../network.js'
import { nameOf, uuidOf, type Vm, xmlOf } from '../vm.js'
import { at } from '../xml.js'
import type { HyperVHost } from './front.js'
import {
  cardXml,
  diskXml,
  generationOf,
  lookedAt,
  shownMac,
  takeAway,
  treePath,
  windowsPath,
} from './machine.js'
import type { HyperVText } from './texts.js'

type Answer = (host: HyperVHost, args: readonly string[]) => Promise<readonly HostRow[]> | readonly HostRow[]

const live = { live: true, config: true } as const

/** Carries something out on the machine that the first argument names. */
function onVm(
  act: (
    host: HyperVHost,
    vm: Vm,
    args: readonly string[],
  ) => Promise<readonly HostRow[] | undefined> | readonly HostRow[] | undefined,
): Answer {
  return async (host, [id, ...args]) => (await act(host, host.machines.find(id), args)) ?? []
}

/** Pixels of a picture: a text screen is as wide and high as this. */
const [screenWidth, screenHeight] = [720, 400]

/**
 * What each text gives. The formats are those that the texts print from the objects of Hyper-V's cmdlets; what the
 * cmdlets do is from their reference (docs/hyperv-texts.md names it for each).
 */
export const answers: Readonly<Record<HyperVText, Answer>> = {
  facts: ({ persona, name }) => {
    const { hyperv, node } = persona
    return [
      {
        ...hyperv,
        name,
        build: String(hyperv.build),
        revision: String(hyperv.revision),
        cpus: String(node.cells * node.sockets * node.cores * node.threads),
        memory: String(node.memoryKiB * 1024),
      },
    ]
  },
  list: ({ machines }) =>
    machines.list().map(vm => ({
      id: uuidOf(vm),
      name: nameOf(vm),
      state: machines.state(vm),
      notes: machines.kept(vm).notes,
    })),
  image: ({ hypervisor }, [path = '']) => {
    const rows: HostRow[] = []
    let file: string | undefined = treePath(path)
    while (file !== undefined) {
      const found: string = file
      const { backing } = hypervisor.images.read(hypervisor.tree, found)
      const format = found.endsWith('x') ? 'VHDX' : 'VHD'
      rows.push({
        path: windowsPath(found),
        format,
        sha256: digest(hypervisor.tree.read(fromText(found))),
      })
      file = backing
    }
    return rows
  },
  exists: ({ hypervisor }, [path = '']) => [
    { exists: hypervisor.tree.lookup(fromText(treePath(path))) === undefined ? 'False' : 'True' },
  ],
  space: ({ hypervisor }) => [{ bytes: String(Math.max(0, hypervisor.tree.room.freeBytes)) }],
  'make-disk': ({ hypervisor, faults }, [how, from = '', to = '']) => {
    const [base, file] = [treePath(from), treePath(to)]
    if (faults.noSpace) throw new SystemError('ENOSPC', to, 'write')
    hypervisor.tree.directory(fromText(file.slice(0, file.lastIndexOf('/'))))
    if (hypervisor.tree.lookup(fromText(base)) === undefined) throw new SystemError('ENOENT', from)
    const head = hypervisor.images.read(hypervisor.tree, base)
    hypervisor.images.write(
      hypervisor.tree,
      file,
      how === 'overlay' ? { format: 'qcow2', virtualBytes: head.virtualBytes, backing: base } : head,
    )
    return [{ parent: how === 'overlay' ? windowsPath(base) : '' }]
  },
  folders: ({ hypervisor }, [path = '']) => namesIn(hypervisor.tree, treePath(path)).map(name => ({ name })),
  'remove-folder': ({ hypervisor }, [path = '']) => {
    removeAll(hypervisor.tree, treePath(path))
    return []
  },
  claims: ({ claims }) => [...claims.values()].map(text => ({ text })),
  'write-claim': ({ claims }, [name = '', text = '']) => {
    claims.set(name, text)
    return []
  },
  'remove-claim': ({ claims }, [name = '']) => {
    claims.delete(name)
    return []
  },
  look: onVm(({ machines }, vm) => {
    const kept = machines.kept(vm)
    const row = lookedAt(vm, kept)
    kept.merging = Math.max(0, kept.merging - 1)
    return [row]
  }),
  state: onVm(({ machines }, vm) => [{ id: uuidOf(vm), name: nameOf(vm), state: machines.state(vm) }]),
  clone: onVm(({ machines }, template, [name = '', , notes = '', drive = '', keep]) => {
    const [bus = '', , , path = ''] = drive.split('\t')
    const xml = xmlOf(template)
    const vm = machines.define(
      {
        name,
        generation: generationOf(template) === '2' ? 2 : 1,
        vcpus: vcpusOf(xml).most,
        memoryBytes: memoryKiB(xml) * 1024,
        disk: treePath(path),
        bus: bus === 'SCSI' ? 'scsi' : 'ide',
        cards: nicsOf(xml).map(nic => ({
          mac: keep === 'keep' ? macOf(nic) : undefined,
          model: at(nic, 'model')?.attributes.type ?? 'synthetic',
          on: at(nic, 'source')?.attributes.bridge ?? '',
        })),
      },
      notes,
      machines.kept(template).secureBoot,
    )
    return [{ id: uuidOf(vm) }]
  }),
  notes: onVm(({ machines }, vm, [notes = '']) => {
    machines.kept(vm).notes = notes
  }),
  start: onVm(async ({ hypervisor, machines }, vm) => {
    machines.demand(vm, 'Off', 'Saved')
    const kept = machines.kept(vm)
    if (!kept.isSaved) {
      await hypervisor.start(vm)
      return undefined
    }
    kept.isSaved = false
    hypervisor.resume(vm)
    return undefined
  }),
  shutdown: onVm(({ hypervisor, machines }, vm) => {
    // The service answers while its guest is up.
    if (machines.state(vm) !== 'Running' || vm.running?.guest?.state !== 'running') return [{ code: 'none' }]
    hypervisor.shutdown(vm)
    return [{ code: '0' }]
  }),
  'turn-off': onVm(async ({ hypervisor, machines }, vm) => {
    machines.demand(vm, 'Running', 'Paused', 'Saved', 'Stopping')
    machines.kept(vm).isSaved = false
    await hypervisor.destroy(vm)
    return undefined
  }),
  reset: onVm(async ({ hypervisor, machines }, vm) => {
    if (machines.state(vm) !== 'Running') return [{ code: '32775' }]
    await hypervisor.reset(vm)
    return [{ code: '4096' }]
  }),
  suspend: onVm(({ hypervisor, machines }, vm) => {
    machines.demand(vm, 'Running')
    hypervisor.suspend(vm)
  }),
  resume: onVm(({ hypervisor, machines }, vm) => {
    machines.demand(vm, 'Paused')
    hypervisor.resume(vm)
  }),
  checkpoint: onVm(async ({ hypervisor, machines, faults }, vm, [name = '']) => {
    const kept = machines.kept(vm)
    const { checkpoints } = kept
    if (faults.slowSaves !== undefined) {
      await hypervisor.halt(vm, ms => new Promise(resolve => setTimeout(resolve, ms)))
    }
    hypervisor.snapshot(vm, name, undefined)
    checkpoints.set(name, snapshotId(vm, name, checkpoints.size))
    return undefined
  }),
  restore: onVm(async ({ hypervisor, machines }, vm, [id]) => {
    const kept = machines.kept(vm)
    const name = nameOfSnapshot(kept.checkpoints, id)
    const { state } = hypervisor.findSnapshot(vm, name)
    const wasUp = state === 'running' || state === 'paused'
    // One with memory is left saved: it goes on when it is started (assumed: the driver looks, and starts it).
    await hypervisor.revert(vm, name, wasUp ? 'paused' : 'as-it-was')
    kept.isSaved = wasUp
    return undefined
  }),
  'remove-snapshot': onVm(({ hypervisor, machines, faults }, vm, [id]) => {
    const kept = machines.kept(vm)
    const name = [...kept.checkpoints].find(([, one]) => one === id)?.[0]
    if (name === undefined) return
    hypervisor.deleteSnapshot(vm, name)
    kept.checkpoints.delete(name)
    kept.merging = faults.lateMerges?.looks ?? 0
  }),
  'attach-disk': onVm(({ hypervisor, machines, faults }, vm, [path = '', bytes = '0']) => {
    machines.demand(vm, 'Running', 'Paused', 'Off')
    const file = treePath(path)
    if (faults.noSpace) throw new SystemError('ENOSPC', path, 'write')
    hypervisor.images.write(hypervisor.tree, file, { format: 'qcow2', virtualBytes: Number(bytes) })
    const used = lookedAt(vm, machines.kept(vm)).disks as readonly string[]
    const taken = used.filter(disk => disk.startsWith('SCSI')).map(disk => Number(disk.split('\t')[2]))
    const location = Array.from({ length: 64 }, (_, at) => at).find(at => !taken.includes(at)) ?? 0
    hypervisor.attach(vm, diskXml(file, 'scsi', location), affectsOf(vm))
    return [{ number: '0', location: String(location) }]
  }),
  'detach-disk': onVm((_, vm, [, location = '0']) => {
    const target = diskOf(diskXml('', 'scsi', Number(location))).target
    takeAway(vm, xml => xml.name === 'disk' && diskOf(xml).target === target)
    return undefined
  }),
  'attach-nic': onVm(({ hypervisor, machines, persona }, vm, [on = '', , mac = '']) => {
    machines.demand(vm, 'Running', 'Off')
    if (vm.running && (generationOf(vm) !== '2' || persona.hyperv.version.startsWith('2012'))) {
      machines.demand(vm, 'Off')
    }
    hypervisor.attach(vm, cardXml(withColons(mac), 'synthetic', on), affectsOf(vm))
  }),
  'detach-nic': onVm((_, vm, [mac = '']) => {
    takeAway(vm, xml => xml.name === 'interface' && shownMac(macOf(xml)) === mac)
    return undefined
  }),
  memory: onVm(({ hypervisor, machines, persona }, vm, [bytes = '0']) => {
    if (persona.hyperv.version.startsWith('2012')) machines.demand(vm, 'Off')
    hypervisor.setMemory(vm, Math.floor(Number(bytes) / 1024), affectsOf(vm))
  }),
  nmi: onVm(({ hypervisor, machines }, vm) => {
    machines.demand(vm, 'Running')
    hypervisor.nmi(vm)
  }),
  screenshot: onVm(({ machines }, vm) => {
    machines.demand(vm, 'Running', 'Paused')
    const image = Buffer.alloc(screenWidth * screenHeight * 2).toString('base64')
    return [{ code: '0', width: String(screenWidth), height: String(screenHeight), image }]
  }),
  addresses: onVm(({ hypervisor, machines, persona }, vm) => {
    const kept = machines.kept(vm)
    const isUp = vm.running?.guest?.state === 'running'
    const isTold = isUp && kept.silent === 0
    kept.silent = isUp ? Math.max(0, kept.silent - 1) : kept.silent
    const found = isTold ? neighbours(hypervisor, persona) : []
    return nicsOf(xmlOf(vm)).map(nic => {
      const ips = found.filter(({ mac }) => mac === macOf(nic)).map(({ address }) => address)
      return { mac: shownMac(macOf(nic)), given: ips, seen: ips }
    })
  }),
  remove: onVm(({ machines }, vm) => {
    machines.demand(vm, 'Off')
    machines.forget(vm)
  }),
  lease: ({ leases }, args) => [{ text: leases.ask(args, Date.now()) }],
}

function affectsOf(vm: Vm): { readonly live: boolean; readonly config: boolean } {
  return { ...live, live: vm.running !== undefined }
}

function withColons(mac: string): string {
  return (mac.match(/../g) ?? []).join(':').toLowerCase()
}

/** In the form of a GUID. */
export function snapshotId(vm: Vm, name: string, count: number): string {
  const hex = digest(`checkpoint ${uuidOf(vm)} ${name} ${count} ${Date.now()}`)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function nameOfSnapshot(checkpoints: ReadonlyMap<string, string>, id: string | undefined): string {
  const name = [...checkpoints].find(([, one]) => one === id)?.[0]
  if (name === undefined) {
    throw new HostRefusal(
      'ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.RestoreVMSnapshot',
      '80131500',
      'Hyper-V was unable to find the checkpoint.',
    )
  }
  return name
}

type Tree = HyperVHost['hypervisor']['tree']

/** The names in a folder; none where it is not there. */
export function namesIn(tree: Tree, path: string): string[] {
  const node = tree.lookup(fromText(path))
  return node?.type === 'directory' ? [...node.entries.names(kernelViewer)] : []
}

function removeAll(tree: Tree, path: string): void {
  for (const name of namesIn(tree, path)) removeAll(tree, `${path}/${name}`)
  if (tree.lookup(fromText(path)) !== undefined) {
    tree.remove(tree.find(fromText(path), kernelViewer), kernelViewer, fromText(path))
  }
}
