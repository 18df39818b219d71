import { lazyDriver } from '../lazy-driver.js'
import type { DriverModule } from '../module.js'

/** ESXi hosts, through the API of their vCenter or their own. */
export const vsphereModule: DriverModule = lazyDriver(
  {
    name: 'vsphere',
    title: 'VMware vCenter and ESXi, through their API',
    startsGuests: true,
    needsConnect: true,
    connectsBy: 'api',
    migrates: true,
    ownMachines: false,
    namesCleanStates: true,
    cleanStates: ['none', 'snapshot', 'overlay', 'copy'],
    placementMistakes: placement => [
      ...(placement.vm === undefined
        ? ['the driver vsphere needs "vm": the name of the virtual machine, or its path in the inventory']
        : []),
      ...(placement.via === undefined
        ? []
        : ['via: the driver vsphere has no login to its hosts: guests are reached as "jump" says']),
    ],
  },
  {
    import: () => import('./driver.js'),
    open: ({ createVsphereDriver }, { host, second }) => createVsphereDriver({ host, second }),
  },
)
