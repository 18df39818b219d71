import type { DriverModule } from '../module.js'
import { virtualMachineMistakes } from '../placement-mistakes.js'
import { createLibvirtDriver } from './driver.js'

/** Hosts with libvirt, driven with `virsh` over SSH. */
export const libvirtModule: DriverModule = {
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
  open: ({ host, second }) => createLibvirtDriver({ host, second }),
}
