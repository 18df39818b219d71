import { createHash } from 'node:crypto'
import type { Machine } from '../../hardware/machine.js'
import type { WindowsPersona } from '../persona/schema.js'

/** What SMBIOS says where there is none. */
const noUuid = 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'

/** What the virtual machine's firmware and processor say of it. */
export interface Firmware {
  readonly manufacturer: string
  readonly product: string
  readonly productVersion: string
  readonly serial: string
  readonly biosVendor: string
  readonly biosVersion: string
  /** `MM/DD/YYYY` */
  readonly biosDate: string
  readonly board: string
  /** As SMBIOS 2.6 and later prints it. */
  readonly uuid: string
  readonly cpuName: string
  readonly cpuVendor: string
  readonly cpuFamily: number
  readonly cpuModel: number
  readonly cpuStepping: number
  readonly cpuMhz: number
}

/** Strings of hypervisors whose host is no persona: QEMU's and, by the hypervisor's id, the others'. */
const plain: Readonly<
  Record<
    string,
    readonly [
      maker: string,
      product: string,
      version: string,
      bios: string,
      biosVersion: string,
      date: string,
    ]
  >
> = {
  kvm: ['Red Hat', 'KVM', 'RHEL-9.6.0 PC (Q35 + ICH9, 2009)', 'SeaBIOS', '1.16.3-4.el9', '04/01/2014'],
  qemu: [
    'QEMU',
    'Standard PC (i440FX + PIIX, 1996)',
    'pc-i440fx-7.2',
    'SeaBIOS',
    '1.16.2-debian-1.16.2-1',
    '04/01/2014',
  ],
  xen: ['Xen', 'HVM domU', '4.17', 'Xen', '4.17', '03/01/2024'],
  'hyper-v': [
    'Microsoft Corporation',
    'Virtual Machine',
    '7.0',
    'American Megatrends Inc.',
    '090008 ',
    '12/07/2018',
  ],
  vmware: ['VMware, Inc.', 'VMware7,1', 'None', 'Phoenix Technologies LTD', '6.00', '11/12/2020'],
}

/** Reads what the firmware says from the host's persona, or where it says nothing from what its product says. */
export function makeFirmware(
  { host, uuid }: Machine,
  hypervisor: string,
  state: WindowsPersona['state'],
): Firmware {
  const dmi = host?.dmi?.values ?? {}
  const [maker, product, version, bios, biosVersion, date] = plain[hypervisor] ??
    plain.qemu ?? ['', '', '', '', '', '']
  const cpu = host?.cpu
  const serial = createHash('sha256').update(uuid).digest('hex').toUpperCase()
  return {
    manufacturer: dmi.sys_vendor ?? maker,
    product: dmi.product_name ?? product,
    productVersion: dmi.product_version ?? version,
    serial: serialOf(hypervisor, serial, uuid) ?? '',
    biosVendor: dmi.bios_vendor ?? bios,
    biosVersion: dmi.bios_version ?? biosVersion,
    biosDate: dmi.bios_date ?? date,
    board: dmi.board_name ?? product,
    uuid: state.lacksUuid ? noUuid : state.swappedUuid ? swapBytes(uuid) : uuid.toUpperCase(),
    cpuName: cpu?.name ?? 'QEMU Virtual CPU version 2.5+',
    cpuVendor: cpu?.vendor_id ?? 'GenuineIntel',
    cpuFamily: cpu?.family ?? 6,
    cpuModel: cpu?.model ?? 6,
    cpuStepping: cpu?.stepping ?? 3,
    cpuMhz: Math.round(cpu?.mhz ?? 2400),
  }
}

function serialOf(hypervisor: string, digest: string, uuid: string): string | undefined {
  if (hypervisor === 'hyper-v') {
    const digits = BigInt(`0x${digest.slice(0, 24)}`)
      .toString()
      .padStart(26, '0')
      .slice(0, 26)
    return digits.replace(/^(.{4})(.{4})(.{4})(.{4})(.{4})(.{4})(.{2})$/, '$1-$2-$3-$4-$5-$6-$7')
  }
  if (hypervisor === 'vmware') {
    const hex = uuid.replaceAll('-', '').match(/../g) ?? []
    return `VMware-${hex.slice(0, 8).join(' ')}-${hex.slice(8).join(' ')}`
  }
  return hypervisor === 'xen' ? uuid : undefined
}

/** The first three fields with their bytes the other way round, as readers before SMBIOS 2.6 show them. */
function swapBytes(uuid: string): string {
  const turn = (field: string): string => (field.match(/../g) ?? []).reverse().join('')
  const [a = '', b = '', c = '', ...rest] = uuid.split('-')
  return [turn(a), turn(b), turn(c), ...rest].join('-').toUpperCase()
}
