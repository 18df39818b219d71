import type { Guest } from '../../api/guest.js'
import type { Host } from '../../api/host.js'
import type { WindowsGuest } from '../../api/windows.js'
import type { Family } from '../../config/model.js'

/**
 * How a method of the API travels. `data`: arguments go, an answer comes. `action`: its first argument is the module's own
 * function, which is carried out between an opening and a closing. `reading`: the answer is a reading of the clock.
 */
export type Travel = 'data' | 'action' | 'reading'

/** The names of an interface's methods. */
export type MethodOf<T> = {
  [K in keyof T]: T[K] extends (...args: never[]) => unknown ? K : never
}[keyof T] &
  string

/** Every method of a guest. What is missing here does not compile. */
export const guestMethods: Readonly<Record<MethodOf<Guest>, Travel>> = {
  run: 'data',
  readFile: 'data',
  readBytes: 'data',
  writeFile: 'data',
  scratch: 'data',
  bootIdentity: 'data',
  reboot: 'data',
  expectDisconnect: 'action',
  clockOffset: 'reading',
}

/** Every method that a Windows guest has beyond those. */
const windowsMethods: Readonly<Record<Exclude<MethodOf<WindowsGuest>, MethodOf<Guest>>, Travel>> = {
  wmi: 'data',
  registry: 'data',
  services: 'data',
  devices: 'data',
  events: 'data',
  activation: 'data',
  powershell: 'data',
  writeBytes: 'data',
}

/** Every method of a guest, by its family. */
export const methodsOf: Readonly<Record<Family, Readonly<Record<string, Travel>>>> = {
  linux: guestMethods,
  windows: { ...guestMethods, ...windowsMethods },
}

/** Every method of a host. */
export const hostMethods: Readonly<Record<MethodOf<Host>, Travel>> = {
  pause: 'data',
  resume: 'data',
  shutdown: 'data',
  powerOff: 'data',
  powerOn: 'data',
  reset: 'data',
  snapshot: 'data',
  revert: 'data',
  deleteSnapshot: 'data',
  attachDisk: 'data',
  detachDisk: 'data',
  attachNic: 'data',
  detachNic: 'data',
  nmi: 'data',
  screenshot: 'data',
  setVcpus: 'data',
  setMemory: 'data',
  migrate: 'data',
}

/** How a method travels; undefined for what is none of the API. */
export function travelOf(
  target: 'guest' | 'host' | 'peer',
  method: string,
  family: Family,
): Travel | undefined {
  const table: Readonly<Record<string, Travel>> = target === 'host' ? hostMethods : methodsOf[family]
  return Object.hasOwn(table, method) ? table[method] : undefined
}
