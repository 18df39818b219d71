import { asWindows, readWindowsBootIdentity } from '../../guests/windows/boot-identity.js'
import { readWindowsClock } from '../../guests/windows/clock.js'
import { windowsConnection } from '../../guests/windows/connection.js'
import { rebootWindows } from '../../guests/windows/reboot.js'
import { commandText } from '../../remote/shells/windows/catalog.js'
import type { GuestSystem } from '../system.js'
import { windowsGuestFor } from './api-guest.js'
import { makeWindowsReady } from './make-ready.js'

/** Windows guests. */
export const windowsSystem: GuestSystem = {
  connection: windowsConnection,
  makeReady: makeWindowsReady,
  identify: readWindowsBootIdentity,
  reboot: rebootWindows,
  clock: (machine, signal) => readWindowsClock(asWindows(machine), signal),
  files: (session, signal) => ({
    readBytes: path => asWindows(session.machine).readFile(path, signal),
    writeFile: (path, content) => asWindows(session.machine).writeFile(path, Buffer.from(content), signal),
  }),
  scratchFolder: (ours, name) => `${ours}\\${name}`,
  makeCommand: folder => commandText('mkdir', { FOLDER: folder }),
  removeCommand: folder => commandText('rmdir', { FOLDER: folder }),
  apiFor: windowsGuestFor,
  runsScripts: false,
}
