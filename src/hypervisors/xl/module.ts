import { lazyDriver } from '../lazy-driver.js'
import type { DriverModule } from '../module.js'
import { virtualMachineMistakes } from '../placement-mistakes.js'

/** Xen hosts without libvirt, driven with `xl` (or `xm`) over SSH. */
export const xlModule: DriverModule = lazyDriver(
  {
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
        ? [
            'clean: the driver xl supports "copy" and "none": an overlay needs QEMU, and snapshots need libvirt',
          ]
        : []),
    ],
  },
  {
    import: () => import('./driver.js'),
    open: ({ createXlDriver }, { host, cacheFolder }) => createXlDriver({ host, cacheFolder }),
  },
)
