import { pluggedDisks } from '../../store/plugged.js'
import { compareNt } from '../../system/nt.js'
import type { WindowsSystem } from '../../system/system.js'
import type { Row } from '../values.js'

/** Sizes that WMI computes from cylinders are a little less than the disk's. */
const bytesPerCylinder = 255 * 63 * 512

/** The system disk as Plug and Play knows it. */
function systemDisk(system: WindowsSystem): { name: string; id: string; bytes: number } {
  const disk = system.devices.find(device => device.role === 'disk')
  const bytes = system.persona.storage.sizeBytes + 512 * 2 ** 20
  return { name: disk?.name ?? 'QEMU HARDDISK', id: disk?.id ?? 'IDE\\DISKQEMU_HARDDISK', bytes }
}

/** A disk as Win32_DiskDrive and MSFT_Disk tell it. */
interface Drive {
  readonly name: string
  readonly id: string
  readonly bytes: number
  readonly serial: string | null
  readonly partitions: number
}

/** The disks that Plug and Play has found: the system's, and those that were added while it ran. */
function allDrives(system: WindowsSystem): Drive[] {
  const { name, id, bytes } = systemDisk(system)
  const serial = /^IDE\\/i.test(id) ? 'QM00001' : null
  const partitions = compareNt(system.where.nt, '6.0') >= 0 ? 2 : 1
  const added = pluggedDisks(system.machine.live).map(({ device, disk }) => ({
    name: device.name,
    id: device.id,
    bytes: disk.bytes,
    serial: disk.serial ?? null,
    partitions: 0,
  }))
  return [{ name, id, bytes, serial, partitions }, ...added]
}

function drives(system: WindowsSystem): readonly Row[] {
  const isModern = compareNt(system.where.nt, '6.0') >= 0
  return allDrives(system).map(({ name, id, bytes, serial, partitions }, index) => {
    const cylinders = Math.floor(bytes / bytesPerCylinder)
    const isIde = /^IDE\\/i.test(id)
    return {
      BytesPerSector: 512,
      Capabilities: [3, 4],
      Caption: name,
      ConfigManagerErrorCode: 0,
      CreationClassName: 'Win32_DiskDrive',
      Description: 'Disk drive',
      DeviceID: `\\\\.\\PHYSICALDRIVE${index}`,
      FirmwareRevision: isIde ? '2.5+' : '0001',
      Index: index,
      InterfaceType: isIde ? 'IDE' : 'SCSI',
      Manufacturer: '(Standard disk drives)',
      MediaLoaded: true,
      MediaType: isModern ? 'Fixed hard disk media' : 'Fixed\thard disk media',
      Model: name,
      Name: `\\\\.\\PHYSICALDRIVE${index}`,
      Partitions: partitions,
      PNPDeviceID: id,
      SCSIBus: 0,
      SCSILogicalUnit: 0,
      SCSIPort: 2 + index,
      SCSITargetId: 0,
      SectorsPerTrack: 63,
      SerialNumber: serial,
      Signature: index === 0 ? 0x8d3a_41c2 : null,
      Size: BigInt(cylinders) * BigInt(bytesPerCylinder),
      Status: 'OK',
      SystemName: system.computerName,
      TotalCylinders: cylinders,
      TotalHeads: 255,
      TotalSectors: BigInt(cylinders) * BigInt(255 * 63),
      TotalTracks: BigInt(cylinders) * 255n,
      TracksPerCylinder: 255,
    }
  })
}

function partitions(system: WindowsSystem): readonly Row[] {
  const { sizeBytes } = system.persona.storage
  const reserved = compareNt(system.where.nt, '6.0') >= 0
  const make = (index: number, size: number, offset: number, boot: boolean): Row => ({
    BlockSize: 512,
    Bootable: boot,
    BootPartition: boot,
    Caption: `Disk #0, Partition #${index}`,
    DeviceID: `Disk #0, Partition #${index}`,
    DiskIndex: 0,
    Index: index,
    Name: `Disk #0, Partition #${index}`,
    NumberOfBlocks: Math.floor(size / 512),
    PrimaryPartition: true,
    Size: size,
    StartingOffset: offset,
    SystemName: system.computerName,
    Type: 'Installable File System',
  })
  const small = 100 * 2 ** 20
  return reserved
    ? [make(0, small, 2 ** 20, true), make(1, sizeBytes, small + 2 ** 20, false)]
    : [make(0, sizeBytes, 32_256, true)]
}

function logicalDisks({ persona, computerName, where }: WindowsSystem): readonly Row[] {
  const { sizeBytes, freeBytes, label } = persona.storage
  return [
    {
      Access: 0,
      Caption: 'C:',
      Compressed: false,
      CreationClassName: 'Win32_LogicalDisk',
      Description: 'Local Fixed Disk',
      DeviceID: 'C:',
      DriveType: 3,
      FileSystem: 'NTFS',
      FreeSpace: freeBytes,
      MaximumComponentLength: 255,
      MediaType: 12,
      Name: 'C:',
      QuotasDisabled: true,
      Size: sizeBytes,
      SupportsFileBasedCompression: true,
      SystemName: computerName,
      VolumeDirty: compareNt(where.nt, '6.0') >= 0 ? null : false,
      VolumeName: label,
      VolumeSerialNumber: '4C1F8A02',
    },
    {
      Access: null,
      Caption: 'D:',
      Description: 'CD-ROM Disc',
      DeviceID: 'D:',
      DriveType: 5,
      MediaType: 11,
      Name: 'D:',
      CreationClassName: 'Win32_LogicalDisk',
      SystemName: computerName,
    },
  ]
}

function volumes({ persona }: WindowsSystem): readonly Row[] {
  const { sizeBytes, freeBytes, label } = persona.storage
  const id = '\\\\?\\Volume{8d3a41c2-0000-0000-0000-500600000000}\\'
  return [
    {
      BlockSize: 4096,
      BootVolume: true,
      Capacity: sizeBytes,
      Caption: 'C:\\',
      DeviceID: id,
      DirtyBitSet: false,
      DriveLetter: 'C:',
      DriveType: 3,
      FileSystem: 'NTFS',
      FreeSpace: freeBytes,
      Label: label,
      Name: 'C:\\',
      SerialNumber: 0x4c1f_8a02,
      SystemVolume: false,
    },
  ]
}

/** Disks and volumes. */
export const storageProviders: Readonly<Record<string, (system: WindowsSystem) => readonly Row[]>> = {
  Win32_DiskDrive: drives,
  Win32_DiskPartition: partitions,
  Win32_LogicalDisk: logicalDisks,
  Win32_Volume: volumes,
  MSFT_Disk: system =>
    allDrives(system).map(({ name, bytes, serial }, index) => ({
      BusType: 10,
      FriendlyName: name,
      IsBoot: index === 0,
      // A disk that nobody has seen before is left alone: SAN policy "Offline Shared" of Windows Server.
      IsOffline: index > 0,
      IsReadOnly: index > 0,
      IsSystem: index === 0,
      Model: name,
      Number: index,
      PartitionStyle: index > 0 ? 0 : system.where.firmware === 'uefi' ? 2 : 1,
      Path: '\\\\?\\scsi#disk',
      SerialNumber: index === 0 ? null : serial,
      Size: bytes,
    })),
}
