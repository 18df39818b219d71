import { lazyDriver } from '../lazy-driver.js'
import type { DriverModule } from '../module.js'
import { virtualMachineMistakes } from '../placement-mistakes.js'

/** ESXi hosts without the licence that their API takes, driven with their own commands over SSH. */
export const esxiModule: DriverModule = lazyDriver(
  {
    name: 'esxi',
    title: 'VMware ESXi, with vim-cmd over SSH',
    startsGuests: true,
    needsConnect: true,
    migrates: false,
    ownMachines: false,
    cleanStates: ['none', 'snapshot', 'copy'],
    placementMistakes: placement => [
      ...virtualMachineMistakes('esxi', placement),
      ...(typeof placement.clean === 'object' && 'overlay' in placement.clean
        ? [
            'clean: the driver esxi supports "copy", "snapshot" and "none": ESXi without a vCenter knows no linked clones',
          ]
        : []),
    ],
  },
  {
    import: () => import('./driver.js'),
    open: ({ createEsxiDriver }, { host, limits, manage }) => createEsxiDriver({ host, limits, manage }),
  },
)
