/**
 * All that a test module may import, as `guestcert/api`. What is not here may change without notice.
 *
 * ```ts
 * import { test } from 'guestcert/api'
 *
 * export default test(async ({ guest, expect }) => {
 *   const { succeeded, stdout } = await guest.run('uname -s')
 *   expect(succeeded).toBe(true, 'uname works')
 *   expect(stdout.trim()).toBe('Linux', 'the guest runs Linux')
 * })
 * ```
 */

export { apiVersion } from '../config/api-version.js'
export type { ParameterValue, TestParameters } from '../config/parameters.js'
export type { Duration } from './duration.js'
export type { Expect, Expectation, PollExpectation, PollOptions } from './expect.js'
export type {
  ClockOffset,
  CommandEnd,
  CommandOptions,
  CommandOutcome,
  Guest,
  Reboot,
  Reconnection,
} from './guest.js'
export type { AddedDisk, Host, HostAbility } from './host.js'
export type { Peer } from './peer.js'
export type { Environment, TestBody, TestContext, TestModule, ThisTest } from './test.js'
export { test } from './test.js'
export type {
  Activation,
  CimType,
  EventQuery,
  RegistryKey,
  RegistryValue,
  ScriptOutcome,
  WindowsDevice,
  WindowsEvent,
  WindowsGuest,
  WindowsService,
  WindowsTestContext,
  WmiObject,
  WmiQuery,
  WmiScalar,
  WmiValue,
} from './windows.js'
export { windowsTest } from './windows.js'
