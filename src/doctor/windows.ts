import { inRange, parseRange, parseVersion } from '../config/version.js'
import { asWindows } from '../guests/windows/boot-identity.js'
import { readWindowsClock } from '../guests/windows/clock.js'
import { readWindowsFreeSpace, readWindowsRelease, type WindowsRelease } from '../guests/windows/release.js'
import type { Check } from '../hypervisors/driver.js'
import { inMib, seenFree, seenIf } from '../hypervisors/seen.js'
import { clockCheck } from './clock.js'
import type { LinuxRequest } from './linux.js'

/** What is looked at on a Windows guest that runs. */
export function windowsChecks({ product, version, machine, bounds }: LinuxRequest): Check[] {
  let reading: Promise<WindowsRelease> | null = null
  const read = (signal: AbortSignal): Promise<WindowsRelease> => {
    reading ??= machine()
      .then(connected => readWindowsRelease(asWindows(connected), signal))
      .catch((error: unknown) => {
        reading = null
        throw error
      })
    return reading
  }
  return [
    {
      name: 'product',
      asked: product,
      after: ['login'],
      carryOut: async signal => {
        const { isServer, caption } = await read(signal)
        return seenIf(isServer, caption)
      },
    },
    {
      name: 'version',
      asked: version,
      after: ['login'],
      carryOut: async signal => {
        const said = (await read(signal)).version
        const [range, seen] = [parseRange(version), parseVersion(said)]
        return seenIf(range !== null && seen !== null && inRange(seen, range), said)
      },
    },
    clockCheck(bounds.clockMs, async signal => readWindowsClock(asWindows(await machine()), signal)),
    {
      name: 'free space',
      asked: `${inMib(bounds.freeBytes)} in its temporary folder`,
      after: ['login'],
      carryOut: async signal => {
        const { freeBytes, folder } = await readWindowsFreeSpace(asWindows(await machine()), signal)
        return seenFree(freeBytes, bounds.freeBytes, folder)
      },
    },
  ]
}
