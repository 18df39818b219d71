import { lazyDriver } from '../lazy-driver.js'
import type { DriverModule } from '../module.js'
import { imageMistakes } from './image-file.js'

/** Guests in QEMU processes of this machine. */
export const qemuModule: DriverModule = lazyDriver(
  {
    name: 'qemu',
    title: 'QEMU processes on this machine',
    startsGuests: true,
    needsConnect: false,
    migrates: false,
    ownMachines: true,
    cleanStates: ['none', 'snapshot', 'overlay', 'copy'],
    placementMistakes: ({ image, clean, folder, configuration: { vcpus, memory } }) => [
      ...(image === undefined
        ? ['the driver qemu needs "image": the name of one that "guestcert lab build" made']
        : []),
      ...imageMistakes({ image, clean, folder }),
      ...(vcpus === undefined || memory === undefined
        ? ['the driver qemu needs "vcpus" and "memory" in the configuration']
        : []),
    ],
  },
  {
    import: () => import('./driver.js'),
    open: ({ createQemuDriver }, { host, cacheFolder }) => createQemuDriver({ host, cacheFolder }),
  },
)
