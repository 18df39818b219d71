import { readBootIdentity } from '../../guests/boot-identity.js'
import { readClock } from '../../guests/clock.js'
import { reboot } from '../../guests/reboot.js'
import { quote } from '../../remote/index.js'
import type { GuestSystem } from '../system.js'
import { posixFiles } from './files.js'
import { makeReady } from './make-ready.js'

/** Guests with a POSIX shell. */
export const posixSystem: GuestSystem = {
  connection: mark => ({ mark }),
  makeReady,
  identify: readBootIdentity,
  reboot,
  clock: readClock,
  files: posixFiles,
  scratchFolder: (ours, name) => `${ours}/scratch/${name}`,
  makeCommand: folder => `umask 077&&mkdir -p ${quote(folder)}`,
  removeCommand: folder => `cd / && rm -rf ${quote(folder)}`,
  apiFor: (_session, guest) => guest,
  runsScripts: true,
}
