import { lazyDriver } from '../lazy-driver.js'
import type { DriverModule } from '../module.js'
import { virtualMachineMistakes } from '../placement-mistakes.js'

/** Hosts with libvirt, driven with `virsh` over SSH. */
export const libvirtModule: DriverModule = lazyDriver(
  {
    name: 'libvirt',
    title: 'libvirt on a host with KVM, QEMU or Xen, with virsh over SSH',
    startsGuests: true,
    needsConnect: true,
    migrates: true,
    ownMachines: false,
    guestsMeet: true,
    cleanStates: ['none', 'snapshot', 'overlay', 'copy'],
    hostTool: 'virsh',
    placementMistakes: placement => virtualMachineMistakes('libvirt', placement),
  },
  {
    import: () => import('./driver.js'),
    open: ({ createLibvirtDriver }, { host, second }) => createLibvirtDriver({ host, second }),
  },
)
