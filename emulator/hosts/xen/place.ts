import { fromText } from '../../files/bytes.js'
import type { FileTree } from '../../files/tree.js'
import type { ManagedHostPersona } from '../../persona/schema.js'
import type { ParsedHostSpec } from '../../spec.js'

type VmSpec = Pick<ParsedHostSpec['vms'][number], 'name' | 'hardware'>

/** As Xen names the disks of a configuration. */
const devices: Readonly<Record<string, string>> = { ide: 'hda', scsi: 'sda' }

/** Writes the configuration that a domain is created from: without libvirt, that is all that is kept of it. */
export function placeConfig(
  tree: FileTree,
  { network }: ManagedHostPersona,
  vm: VmSpec,
  image: string,
): void {
  const { name, hardware } = vm
  const isHvm = hardware.mode === 'hvm'
  const lines = [
    `name = "${name}"`,
    `type = "${isHvm ? 'hvm' : 'pv'}"`,
    ...(isHvm ? (hardware.firmware === 'uefi' ? ['bios = "ovmf"'] : []) : ['bootloader = "pygrub"']),
    `memory = ${Math.round(hardware.memoryBytes / 2 ** 20)}`,
    `vcpus = ${hardware.vcpus}`,
    `disk = [ "format=raw,vdev=${devices[hardware.disk ?? ''] ?? 'xvda'},access=rw,target=${image}" ]`,
    `vif = [ "bridge=${network.name}" ]`,
    'on_poweroff = "destroy"',
    'on_reboot = "restart"',
    'on_crash = "destroy"',
  ]
  tree.install(fromText(`/etc/xen/${name}.cfg`), fromText(`${lines.join('\n')}\n`))
}
