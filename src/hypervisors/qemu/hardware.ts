import { InfraError } from '../../config/errors.js'
import type { Configuration, Guest } from '../../config/model.js'

/** A value of QEMU's `-device`, `-netdev`, …: commas inside a value are doubled. */
type Device = string

/** How a disk model is attached, given the node that holds its data. */
interface DiskModel {
  readonly devices: (node: string) => readonly Device[]
  /** QEMU cannot write the state of every device into a snapshot. */
  readonly snapshots: boolean
}

const plain =
  (...devices: string[]) =>
  (node: string): string[] =>
    devices.map((device, index) => (index === devices.length - 1 ? `${device},drive=${node}` : device))

const diskModels: Readonly<Record<string, DiskModel>> = {
  'virtio-blk': { devices: plain('virtio-blk-pci'), snapshots: true },
  'virtio-scsi': { devices: plain('virtio-scsi-pci,id=scsi', 'scsi-hd,bus=scsi.0'), snapshots: true },
  ide: { devices: plain('ide-hd,bus=ide.0'), snapshots: true },
  sata: { devices: plain('ich9-ahci,id=sata', 'ide-hd,bus=sata.0'), snapshots: true },
  nvme: { devices: plain('nvme,serial=guestcert'), snapshots: false },
  pvscsi: { devices: plain('pvscsi,id=scsi', 'scsi-hd,bus=scsi.0'), snapshots: true },
  lsi: { devices: plain('lsi53c895a,id=scsi', 'scsi-hd,bus=scsi.0'), snapshots: true },
  megasas: { devices: plain('megasas,id=scsi', 'scsi-hd,bus=scsi.0'), snapshots: true },
}

const nicModels: Readonly<Record<string, string>> = {
  'virtio-net': 'virtio-net-pci',
  e1000: 'e1000',
  e1000e: 'e1000e',
  rtl8139: 'rtl8139',
  vmxnet3: 'vmxnet3',
}

/** Other names under which labs know a model. */
const aliases: Readonly<Record<string, string>> = { virtio: 'virtio-blk', scsi: 'virtio-scsi', ahci: 'sata' }
const nicAliases: Readonly<Record<string, string>> = { virtio: 'virtio-net' }

const machinePattern = /^(pc|q35|pc-i440fx-[\w.]+|pc-q35-[\w.]+)$/

/** The virtual hardware that a configuration asks for, in this driver's words. */
export interface Hardware {
  readonly machine: string
  readonly firmware: 'bios' | 'uefi'
  readonly cpu: string | null
  readonly disk: string
  readonly nic: string
  readonly diskDevices: (node: string) => readonly Device[]
  readonly nicDevice: string
  readonly snapshots: boolean
  /** True where the machine takes PCI devices while it runs. */
  readonly hotplug: boolean
  readonly vcpus: number
  readonly memoryBytes: number
}

/**
 * What a configuration means for QEMU, with this driver's defaults for what it leaves open. Throws
 * InfraError for what cannot be honoured: a pairing is never tried on other hardware than it names.
 */
export function hardwareOf(configuration: Configuration, guest: Pick<Guest, 'id' | 'arch'>): Hardware {
  const refuse = (what: string): InfraError =>
    new InfraError(`${guest.id}: the driver qemu cannot do ${what}`, {
      cause: 'runner',
      where: guest.id,
      code: 'driver',
    })
  if (guest.arch !== 'x86_64' && guest.arch !== 'i386') {
    throw refuse(`arch ${guest.arch}: it starts qemu-system-x86_64`)
  }
  if (configuration.mode !== undefined && configuration.mode !== 'hvm') {
    throw refuse(`mode ${configuration.mode}: only hvm`)
  }
  if (configuration.generation !== undefined) {
    throw refuse(`generation ${configuration.generation}: generations are Hyper-V's; say firmware`)
  }
  if (configuration.vcpus === undefined || configuration.memoryBytes === undefined) {
    throw refuse('a configuration without vcpus and memory')
  }
  const machine = configuration.machine ?? 'pc'
  if (!machinePattern.test(machine)) {
    throw refuse(`machine ${machine}: pc, q35 or one of their versions`)
  }
  const disk = canonical(configuration.disk ?? 'virtio-blk', aliases)
  const diskModel = own(diskModels, disk)
  if (diskModel === undefined) {
    throw refuse(`disk ${disk}: ${Object.keys(diskModels).join(', ')}`)
  }
  if (disk === 'ide' && machine.includes('q35')) {
    throw refuse('disk ide on q35: that machine has none; say disk: sata')
  }
  const nic = canonical(configuration.nic ?? 'virtio-net', nicAliases)
  const nicDevice = own(nicModels, nic)
  if (nicDevice === undefined) {
    throw refuse(`nic ${nic}: ${Object.keys(nicModels).join(', ')}`)
  }
  return {
    machine,
    firmware: configuration.firmware ?? 'bios',
    cpu: configuration.cpu ?? null,
    disk,
    nic,
    diskDevices: diskModel.devices,
    nicDevice,
    snapshots: diskModel.snapshots,
    hotplug: canHotplug(configuration),
    vcpus: configuration.vcpus,
    memoryBytes: configuration.memoryBytes,
  }
}

/** True when QEMU can write and load snapshots of a guest in this configuration. */
export function canSnapshot({ disk }: Configuration): boolean {
  return own(diskModels, canonical(disk ?? 'virtio-blk', aliases))?.snapshots ?? false
}

/** True when devices can be added: to the PCI bus of `pc`; q35 would need a free root port for each. */
export function canHotplug({ machine }: Configuration): boolean {
  return !(machine ?? 'pc').includes('q35')
}

function canonical(name: string, names: Readonly<Record<string, string>>): string {
  return own(names, name) ?? name
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}
