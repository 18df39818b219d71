import type { AddedDisk, AddedNic, LiveHardware } from '../../hardware/machine.js'
import { classGuid, type Device } from './devices.js'

/** A disk that was added, as Plug and Play knows it. */
export interface PluggedDisk {
  readonly device: Device
  readonly disk: AddedDisk
}

/** A network card that was added, as Plug and Play knows it. */
export interface PluggedNic {
  readonly device: Device
  readonly nic: AddedNic
}

/** Names of disks by their bus, as QEMU's, Red Hat's and Xen's drivers have them say. */
const models: Readonly<Record<string, readonly [name: string, id: string]>> = {
  virtio: ['Red Hat VirtIO SCSI Disk Device', 'SCSI\\DISK&VEN_RED_HAT&PROD_VIRTIO'],
  scsi: ['QEMU QEMU HARDDISK SCSI Disk Device', 'SCSI\\DISK&VEN_QEMU&PROD_QEMU_HARDDISK'],
  usb: ['QEMU QEMU HARDDISK USB Device', 'USBSTOR\\DISK&VEN_QEMU&PROD_QEMU_HARDDISK'],
  xen: ['XENSRC PVDISK SCSI Disk Device', 'SCSI\\DISK&VEN_XENSRC&PROD_PVDISK'],
}
const plainModel = ['QEMU HARDDISK', 'IDE\\DISKQEMU_HARDDISK'] as const

/** The disks that were added to a machine; Windows has a driver for each that is its own. */
export function pluggedDisks({ disks }: LiveHardware): PluggedDisk[] {
  return disks.map((disk, place) => {
    const [name, id] = models[disk.bus] ?? plainModel
    const instance = String(place + 1).padStart(6, '0')
    return {
      disk,
      device: {
        id: `${id}\\4&35424867&0&${instance}`,
        name,
        class: 'DiskDrive',
        classGuid: classGuid('DiskDrive'),
        manufacturer: '(Standard disk drives)',
        service: 'disk',
        hardwareIds: [id],
        compatibleIds: ['GenDisk'],
        errorCode: 0,
        status: 'OK',
        driver: null,
        role: undefined,
      },
    }
  })
}

/** The cards that were added: like the first one, and served by its driver. None where there is no first one. */
export function pluggedNics(devices: readonly Device[], { nics }: LiveHardware): PluggedNic[] {
  const model = devices.find(({ role }) => role === 'nic')
  return model === undefined
    ? []
    : nics.map((nic, place) => ({
        nic,
        device: {
          ...model,
          id: model.id.replace(/[^\\]+$/, instance => `${instance}&${place + 1}`),
          name: `${model.name} #${place + 2}`,
        },
      }))
}
