import type { Family } from '../config/model.js'
import { posixSystem } from './posix/system.js'
import type { GuestSystem } from './system.js'
import { windowsSystem } from './windows/system.js'

/** Each family of guests. */
export const guestSystems: Readonly<Record<Family, GuestSystem>> = {
  linux: posixSystem,
  windows: windowsSystem,
}
