import { posix } from 'node:path'
import { fromText } from '../../files/bytes.js'
import type { ParsedHostSpec } from '../../spec.js'
import { vmxText, writeDisk } from '../esxi/place.js'
import type { Content } from '../images.js'
import type { Machines } from './machines.js'

/** Disks are as large as the emulated kernels say. */
const diskBytes = 8 * 1024 ** 3

/** Writes the machines that stand on a host from the start, off, with their snapshots. One is named by its configuration. */
export function placeVmrunVms(
  machines: Machines,
  spec: ParsedHostSpec,
  keys: ReadonlyMap<string, { readonly pem: string }>,
): void {
  const { tree, images } = machines.hypervisor
  tree.directory(fromText(machines.persona.vmrun.folder))
  for (const it of spec.vms) {
    const content: Content = {
      installed: {
        persona: it.guest.persona,
        personaFolders: spec.personaFolders,
        users: it.guest.users,
        hostKey: keys.get(it.name)?.pem ?? '',
        ...(it.guest.faults === undefined ? {} : { faults: it.guest.faults }),
      },
    }
    const name = posix.basename(it.name, '.vmx')
    const disk = posix.join(posix.dirname(it.name), `${name}.vmdk`)
    writeDisk(machines, disk, { bytes: diskBytes, content: images.keep(content) })
    tree.install(fromText(it.name), fromText(vmxText({ ...it, name })))
    const machine = machines.find(it.name)
    for (const snapshot of new Set(it.snapshots)) {
      machines.hypervisor.snapshot(machine.vm, snapshot, undefined)
      machine.snapshots.push(snapshot)
    }
  }
}
