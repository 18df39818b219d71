import type { Configuration } from '../../config/model.js'
import { diskPlaces, type Vmx } from './vmx.js'

/** What a machine has, by its configuration file. What the file leaves out is what the host takes then. */
function hardwareOf(vmx: Vmx) {
  const [place = ''] = diskPlaces(vmx)
  const controller = /^[a-z]+\d+/.exec(place)?.[0] ?? ''
  const bus = controller.replace(/\d+$/, '')
  return {
    vcpus: Number(vmx.get('numvcpus') ?? 1),
    memoryMib: Number(vmx.get('memsize') ?? 0),
    firmware: vmx.get('firmware') === 'efi' ? 'uefi' : 'bios',
    disk: bus === 'scsi' ? vmx.get(`${controller}.virtualdev`)?.toLowerCase() : bus,
    nic: vmx.get('ethernet0.virtualdev')?.toLowerCase(),
  } as const
}

/** What a machine is made with, as facts. */
export function factsOf(name: string, vmx: Vmx): Record<string, string> {
  const { vcpus, memoryMib, firmware, disk, nic } = hardwareOf(vmx)
  return {
    vm: name,
    'vm vcpus': String(vcpus),
    'vm memory': `${memoryMib} MiB`,
    'vm firmware': firmware,
    ...(disk === undefined ? {} : { 'vm disk': disk }),
    ...(nic === undefined ? {} : { 'vm nic': nic }),
    ...(vmx.has('virtualhw.version') ? { 'vm hardware': `vmx-${vmx.get('virtualhw.version')}` } : {}),
    ...(vmx.has('guestos') ? { 'vm guest type': vmx.get('guestos') ?? '' } : {}),
  }
}

/** How a machine differs from the configuration that the lab declares for it: what is certified must be what ran. */
export function differences(vmx: Vmx, declared: Configuration): string[] {
  const real = hardwareOf(vmx)
  const pairs: readonly (readonly [string, string | number | undefined, string | number | undefined])[] = [
    ['vcpus', declared.vcpus, real.vcpus],
    [
      'memory in MiB',
      declared.memoryBytes === undefined ? undefined : declared.memoryBytes / 2 ** 20,
      real.memoryMib,
    ],
    ['firmware', declared.firmware, real.firmware],
    ['disk', declared.disk, real.disk],
    ['nic', declared.nic, real.nic],
  ]
  return pairs.flatMap(([what, wanted, found]) =>
    wanted === undefined || found === undefined || wanted === found
      ? []
      : [`${what} is ${found}, not ${wanted}`],
  )
}
