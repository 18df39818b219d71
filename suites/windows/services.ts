import { windowsTest } from 'guestcert/api'

/** Without these nothing else means much; they are there on every edition, Server Core too. */
const needed = ['EventLog', 'RpcSs', 'Winmgmt', 'LanmanServer', 'LanmanWorkstation']

/** A service that ended well, and one that was never asked to start (ERROR_SERVICE_NEVER_STARTED). */
const goodExits = [0, 1077]

/**
 * Services that start by themselves and stand still. Some end when their work is done: their exit code is 0
 * (https://learn.microsoft.com/en-us/windows/win32/cimwin32prov/win32-service, ExitCode).
 */
export default windowsTest(async ({ guest, expect, measure }) => {
  const services = await guest.services()
  measure('services', services.length)
  for (const name of needed) {
    const service = services.find(one => one.name.toLowerCase() === name.toLowerCase())
    expect(service?.state).toBe('Running', `the service ${name} runs`)
  }
  const failed = services.filter(
    ({ start, state, exitCode }) => start === 'Auto' && state !== 'Running' && !goodExits.includes(exitCode),
  )
  expect(failed.map(({ name, state, exitCode }) => ({ name, state, exitCode }))).toEqual(
    [],
    'no service that starts by itself has failed',
  )
})
