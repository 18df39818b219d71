import { asWindows, readWindowsBootIdentity } from '../../guests/windows/boot-identity.js'
import { readWindowsClock } from '../../guests/windows/clock.js'
import { rebootWindows } from '../../guests/windows/reboot.js'
import { commandText } from '../../remote/shells/windows/catalog.js'
import type { GuestSystem } from '../system.js'

/** Windows guests. */
export const windowsSystem: GuestSystem = {
  identify: readWindowsBootIdentity,
  reboot: rebootWindows,
  clock: (machine, signal) => readWindowsClock(asWindows(machine), signal),
  removeCommand: folder => commandText('rmdir', { FOLDER: folder }),
  runsScripts: false,
}
