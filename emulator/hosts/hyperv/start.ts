import { FileTree } from '../../files/tree.js'
import type { EmulatedGuest } from '../../guest.js'
import type { HostKey } from '../../server/host-key.js'
import type { ParsedGuestSpec, ParsedHostSpec } from '../../spec.js'
import { startWindowsGuest } from '../../windows/start.js'
import type { EmulatedHost } from '../host.js'
import type { Hypervisor } from '../hypervisor.js'
import { neighbours } from '../network.js'
import { nameOf } from '../vm.js'
import { namesIn, snapshotId } from './answers.js'
import { type HyperVHost, hyperVTexts } from './front.js'
import { treePath } from './machine.js'

/** What the drives of a host hold. */
const roomBytes = 2 ** 40
/** Disks are as large as the emulated kernels say. */
const diskBytes = 8 * 1024 ** 3

export interface HyperVRequest {
  readonly hypervisor: Hypervisor
  readonly persona: HyperVHost['persona']
  readonly parsed: ParsedHostSpec
  /** What its machine, a Windows, is started from. */
  readonly machine: ParsedGuestSpec
  /** Host keys of its guests. */
  readonly keys: ReadonlyMap<string, HostKey>
  /** Told the drives of the host, before anything looks at them. */
  onTree(tree: FileTree): void
}

/** Starts a Windows with Hyper-V: its PowerShell answers the texts of guestcert's driver. */
export async function startHyperVHost(request: HyperVRequest): Promise<EmulatedHost> {
  const { hypervisor, persona, parsed, keys } = request
  const { faults, name } = parsed
  const tree = new FileTree(() => Date.now(), roomBytes)
  request.onTree(tree)
  const { gone } = faults
  const front = hyperVTexts({
    hypervisor,
    persona,
    faults,
    name: `${name.toUpperCase()}.lab.example`,
    onText: text => {
      if (gone && new RegExp(gone.command).test(text)) void close()
    },
  })
  placeMachines(front.host, parsed, keys)
  if (faults.noSpace) tree.room.freeBytes = 0
  let up = (): void => {}
  const isUp = new Promise<void>(resolve => {
    up = resolve
  })
  const machine: EmulatedGuest = await startWindowsGuest(request.machine, {
    hostTexts: front,
    onUp: () => up(),
    onCommand: command => {
      if (gone && new RegExp(gone.command).test(command)) void close()
    },
    forward: (host, port) => {
      const found = port === 22 && neighbours(hypervisor, persona).find(({ address }) => address === host)
      return found ? { host: found.host, port: found.port } : undefined
    },
  })
  const close = async (): Promise<void> => {
    await Promise.all([machine.close(), hypervisor.close()])
  }
  // Hosts stand before anyone asks them for guests.
  await isUp
  return {
    machine,
    guestKeys: keys,
    get most() {
      return hypervisor.load.most
    },
    running: () =>
      hypervisor
        .list()
        .filter(({ running }) => running)
        .map(nameOf),
    account: () => [
      ...hypervisor.list().map(vm => `${nameOf(vm)} ${front.host.machines.state(vm)}`),
      ...namesIn(tree, treePath(`${persona.hyperv.folder}\\guestcert`)),
      ...front.host.claims.keys(),
    ],
    close,
  }
}

/** The virtual machines that stand on a host from the start, off, with their disks and checkpoints. */
function placeMachines(host: HyperVHost, spec: ParsedHostSpec, keys: HyperVRequest['keys']): void {
  const { hypervisor, persona, machines } = host
  const { images, tree } = hypervisor
  tree.directory(treePath(persona.hyperv.folder))
  for (const { name, guest, hardware, images: files, snapshots } of spec.vms) {
    const installed = {
      persona: guest.persona,
      personaFolders: spec.personaFolders,
      users: guest.users,
      hostKey: keys.get(name)?.pem ?? '',
      ...(guest.faults === undefined ? {} : { faults: guest.faults }),
    }
    const ending = persona.hyperv.version.startsWith('2008') ? 'vhd' : 'vhdx'
    const own = treePath(`${persona.hyperv.folder}\\${name}\\${name}.${ending}`)
    for (const file of new Set([own, ...files.map(treePath)])) {
      images.write(tree, file, {
        format: 'qcow2',
        virtualBytes: diskBytes,
        content: images.keep({ installed }),
      })
    }
    const isSecond = (hardware.generation ?? (hardware.firmware === 'uefi' ? 2 : 1)) === 2
    const vm = machines.define(
      {
        name,
        generation: isSecond ? 2 : 1,
        vcpus: hardware.vcpus,
        memoryBytes: hardware.memoryBytes,
        disk: own,
        bus: (hardware.disk ?? (isSecond ? 'scsi' : 'ide')) === 'scsi' ? 'scsi' : 'ide',
        cards: [{ mac: undefined, model: hardware.nic ?? 'synthetic', on: persona.network.name }],
      },
      '',
      'Off',
    )
    for (const [at, snapshot] of snapshots.entries()) {
      hypervisor.snapshot(vm, snapshot, undefined)
      machines.kept(vm).checkpoints.set(snapshot, snapshotId(vm, snapshot, at))
    }
  }
}
