import type { DriverModule } from '../module.js'
import { virtualMachineMistakes } from '../placement-mistakes.js'
import { createXlDriver } from './driver.js'

/** Xen hosts without libvirt, driven with `xl` (or `xm`) over SSH. */
export const xlModule: DriverModule = {
  name: 'xl',
  title: 'Xen without libvirt, with xl or xm over SSH',
  startsGuests: true,
  needsConnect: true,
  migrates: false,
  ownMachines: false,
  guestsMeet: true,
  cleanStates: ['none', 'copy'],
  hostTool: 'xl',
  placementMistakes: placement => [
    ...virtualMachineMistakes('xl', placement),
    ...(typeof placement.clean === 'object' && !('copy' in placement.clean)
      ? ['clean: the driver xl supports "copy" and "none": an overlay needs QEMU, and snapshots need libvirt']
      : []),
  ],
  open: ({ host, cacheFolder }) => createXlDriver({ host, cacheFolder }),
}
