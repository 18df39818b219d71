import { InfraError } from '../config/errors.js'
import { isRelease, parseRelease, type Release, releaseCommand } from '../config/release.js'
import { readClock } from '../guests/clock.js'
import { chooseRoom, describeRooms, parseRooms, roomCommand, usualFolder } from '../guests/room.js'
import { readWindowsClock } from '../guests/windows/clock.js'
import type { Check } from '../hypervisors/driver.js'
import { inMib, seenFree, seenIf } from '../hypervisors/seen.js'
import { type Machine, WindowsMachine } from '../remote/index.js'
import type { Bounds } from './bounds.js'
import { clockCheck } from './clock.js'

/** What is looked at on a machine with a POSIX shell. */
export interface LinuxRequest {
  /** As `/etc` names it; `linux` for any. */
  readonly product: string
  readonly version: string
  readonly machine: () => Promise<Machine>
  readonly bounds: Bounds
}

/** Which Linux it is, against what the lab declares. */
export function releaseChecks({ product, version, machine }: LinuxRequest): Check[] {
  let reading: Promise<Release> | null = null
  const read = (signal: AbortSignal): Promise<Release> => {
    reading ??= readRelease(machine, signal).catch((error: unknown) => {
      reading = null
      throw error
    })
    return reading
  }
  return [
    {
      name: 'product',
      asked: product === 'linux' ? 'any Linux' : product,
      after: ['login'],
      carryOut: async signal => {
        const seen = (await read(signal)).product
        return seenIf(seen !== null && (product === 'linux' || seen === product), seen ?? 'it names none')
      },
    },
    {
      name: 'version',
      asked: version,
      after: ['login'],
      carryOut: async signal => {
        const release = await read(signal)
        const seen = release.versions.at(-1) ?? 'it names none'
        return seenIf(isRelease({ product, version }, release), seen)
      },
    },
  ]
}

/** Its clock against ours; that of a host may be a Windows'. */
export function machineClock({ machine, bounds }: Pick<LinuxRequest, 'machine' | 'bounds'>): Check {
  return clockCheck(bounds.clockMs, async signal => {
    const found = await machine()
    return found instanceof WindowsMachine ? readWindowsClock(found, signal) : readClock(found, signal)
  })
}

/** A folder with space for what a pass writes, and something to put it there with: as a run looks for them. */
export function linuxSpace({ machine, bounds }: Pick<LinuxRequest, 'machine' | 'bounds'>): Check {
  return {
    name: 'free space',
    asked: `${inMib(bounds.freeBytes)} in ${usualFolder} or another folder, and tar or printf`,
    after: ['login'],
    carryOut: async signal => {
      const { rooms, tools } = parseRooms(await ask(machine, roomCommand, signal))
      const room = chooseRoom(rooms, bounds.freeBytes)
      if (tools.size === 0) {
        return seenIf(false, 'it has neither tar nor printf')
      }
      return room === null || room.freeBytes === null
        ? seenIf(room !== null, describeRooms(rooms))
        : seenFree(room.freeBytes, bounds.freeBytes, room.folder)
    },
  }
}

async function readRelease(machine: () => Promise<Machine>, signal: AbortSignal): Promise<Release> {
  return parseRelease(await ask(machine, `${releaseCommand};:`, signal))
}

async function ask(machine: () => Promise<Machine>, command: string, signal: AbortSignal): Promise<string> {
  const connected = await machine()
  const { exit, stdout, stderr } = await connected.run(command, { signal })
  if (exit.kind !== 'code' || exit.code !== 0) {
    const how = exit.kind === 'code' ? `status ${exit.code}` : exit.kind
    const [shown = ''] = command.split(';')
    throw new InfraError(`${connected.label}: "${shown}" ended with ${how}: ${stderr.text.slice(0, 200)}`, {
      cause: exit.kind === 'lost' ? 'network' : 'unknown',
      where: connected.label,
      code: exit.kind === 'lost' ? 'lost' : 'command',
    })
  }
  return stdout.text
}
