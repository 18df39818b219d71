import { win32 } from 'node:path'
import type { WrittenPlacement } from '../../config/driver.js'
import { lazyDriver } from '../lazy-driver.js'
import type { DriverModule } from '../module.js'

/**
 * Hyper-V hosts over SSH: with the Hyper-V module of PowerShell from 2012 on, with WMI through cscript on 2008 and 2008 R2,
 * as the lab declares the version.
 */
export const hyperVModule: DriverModule = lazyDriver(
  {
    name: 'hyperv',
    title: 'Hyper-V of Windows Server 2008 and later, with PowerShell or WMI over SSH',
    startsGuests: true,
    needsConnect: true,
    migrates: false,
    ownMachines: false,
    guestsMeet: true,
    cleanStates: ['none', 'snapshot', 'overlay', 'copy'],
    placementMistakes,
  },
  {
    import: () => import('./driver.js'),
    open: ({ createHyperVDriver }, { host }) => createHyperVDriver({ host }),
  },
)

function placementMistakes({ vm, clean }: WrittenPlacement): readonly string[] {
  const path =
    typeof clean !== 'object' || 'snapshot' in clean ? null : 'overlay' in clean ? clean.overlay : clean.copy
  return [
    ...(vm === undefined
      ? ['the driver hyperv needs "vm": the name of the virtual machine on the host']
      : []),
    ...(path === null || (/^[A-Za-z]:[\\/]/.test(path) && /^\.a?vhdx?$/i.test(win32.extname(path)))
      ? []
      : [
          `clean: "${path}" is a disk on the host: expected an absolute path, such as "D:\\clean\\rhel9.vhdx"`,
        ]),
  ]
}
