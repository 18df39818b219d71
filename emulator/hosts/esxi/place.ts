import { posix } from 'node:path'
import { fromText } from '../../files/bytes.js'
import type { ParsedHostSpec } from '../../spec.js'
import type { Content } from '../images.js'
import type { Inventory } from './inventory.js'
import { takeSnapshot } from './snapshots.js'
import { descriptorText, flatOf } from './vmx.js'

/** Disks are as large as the emulated kernels say. */
const diskBytes = 8 * 1024 ** 3

type VmSpec = ParsedHostSpec['vms'][number]

/** Registers the machines that stand on a host from the start, off, with their snapshots, and writes what clean states name. */
export function placeEsxiVms(
  inventory: Inventory,
  spec: ParsedHostSpec,
  keys: ReadonlyMap<string, { readonly pem: string }>,
): void {
  const { tree, images } = inventory.hypervisor
  const { folder, name, uuid } = inventory.datastore
  tree.directory(fromText(folder))
  tree.installNode(fromText(`/vmfs/volumes/${name}`), tree.makeLink(fromText(uuid)))
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
    const own = posix.join(folder, it.name)
    const disk = posix.join(own, `${it.name}.vmdk`)
    for (const path of [
      disk,
      ...it.images.map(file => file.replace(`/vmfs/volumes/${name}/`, `${folder}/`)),
    ]) {
      writeDisk(inventory, path, { bytes: diskBytes, content: images.keep(content) })
    }
    const path = posix.join(own, `${it.name}.vmx`)
    tree.install(fromText(path), fromText(vmxText(it)))
    const machine = inventory.register(path)
    for (const snapshot of new Set(it.snapshots)) {
      takeSnapshot(inventory, machine, { name: snapshot, description: '', isWithMemory: false })
    }
  }
}

/** Writes a disk: its descriptor, and what is on it. Throws SystemError. */
export function writeDisk(
  { hypervisor }: Pick<Inventory, 'hypervisor'>,
  path: string,
  { bytes, content }: { readonly bytes: number; readonly content: string },
): void {
  const { tree, images } = hypervisor
  tree.install(fromText(path), fromText(descriptorText(path, bytes)))
  images.write(tree, flatOf(path), { format: 'raw', virtualBytes: bytes, content })
}

/** The configuration of a machine that stands on a host of VMware's from the start. */
export function vmxText({ name, hardware, guest }: VmSpec): string {
  const settings: Readonly<Record<string, string>> = {
    '.encoding': 'UTF-8',
    'virtualHW.version': '14',
    displayName: name,
    guestOS: /windows/.test(guest.persona) ? 'windows9srv-64' : 'other4xlinux-64',
    numvcpus: String(hardware.vcpus),
    memSize: String(Math.round(hardware.memoryBytes / 2 ** 20)),
    ...(hardware.firmware === 'uefi' ? { firmware: 'efi' } : {}),
    nvram: `${name}.nvram`,
    'scsi0.present': 'TRUE',
    'scsi0.virtualDev': hardware.disk ?? 'pvscsi',
    'scsi0:0.present': 'TRUE',
    'scsi0:0.deviceType': 'scsi-hardDisk',
    'scsi0:0.fileName': `${name}.vmdk`,
    'ethernet0.present': 'TRUE',
    'ethernet0.virtualDev': hardware.nic ?? 'vmxnet3',
    'ethernet0.networkName': 'VM Network',
    'ethernet0.addressType': 'generated',
    'uuid.location': '56 4d 48 08 86 8b 8f 67-a5 4a 33 f3 87 a8 d0 59',
    'uuid.bios': '56 4d 48 08 86 8b 8f 67-a5 4a 33 f3 87 a8 d0 59',
  }
  return Object.entries(settings)
    .map(([key, value]) => `${key} = "${value}"\n`)
    .join('')
}
