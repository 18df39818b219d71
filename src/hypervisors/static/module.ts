import { lazyDriver } from '../lazy-driver.js'
import type { DriverModule } from '../module.js'

/** Guests that already run: any machine with an SSH server. */
export const staticModule: DriverModule = lazyDriver(
  {
    name: 'static',
    title: 'Guests that already run, on any hypervisor',
    startsGuests: false,
    needsConnect: false,
    migrates: false,
    ownMachines: true,
    guestsMeet: true,
    cleanStates: ['none', 'snapshot', 'overlay', 'copy'],
    placementMistakes: ({ address, emulated }) =>
      address === undefined && !emulated
        ? ['a guest on a static host runs already: expected its "address" (or "emulated" on the guest)']
        : [],
  },
  {
    import: () => import('./driver.js'),
    open: ({ createStaticDriver }, { findAccess }) => createStaticDriver(findAccess),
  },
)
