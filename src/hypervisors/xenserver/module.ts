import { lazyDriver } from '../lazy-driver.js'
import type { DriverModule } from '../module.js'

/** XenServer and XCP-ng hosts, driven with `xe` over SSH. */
export const xenserverModule: DriverModule = lazyDriver(
  {
    name: 'xenserver',
    title: 'Citrix XenServer and XCP-ng, with xe over SSH',
    startsGuests: true,
    needsConnect: true,
    migrates: true,
    ownMachines: false,
    guestsMeet: true,
    namesCleanStates: true,
    cleanStates: ['none', 'snapshot', 'overlay'],
    placementMistakes: ({ vm, clean }) => [
      ...(vm === undefined
        ? ['the driver xenserver needs "vm": the name or the UUID of the virtual machine or template']
        : []),
      ...(typeof clean === 'object' && 'copy' in clean
        ? [
            'clean: the driver xenserver supports "overlay", "snapshot" and "none": xe cannot copy a snapshot whole',
          ]
        : []),
    ],
  },
  {
    import: () => import('./driver.js'),
    open: ({ createXenServerDriver }, { host, second, limits, manage }) =>
      createXenServerDriver({ host, second, limits, manage }),
  },
)
