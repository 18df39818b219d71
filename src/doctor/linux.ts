import { InfraError } from '../config/errors.js'
import { readClock } from '../guests/clock.js'
import { isRelease, parseRelease, type Release, releaseCommand } from '../guests/release.js'
import type { Check } from '../hypervisors/driver.js'
import { inMib, parseFreeBytes, seenFree, seenIf } from '../hypervisors/seen.js'
import type { Machine } from '../remote/index.js'
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

/** The folder that instances' files and tests write to. */
const workFolder = '/var/tmp'

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

/** Its clock against ours. */
export function linuxClock({ machine, bounds }: Pick<LinuxRequest, 'machine' | 'bounds'>): Check {
  return clockCheck(bounds.clockMs, async signal => readClock(await machine(), signal))
}

/** Space for what a pass writes there. */
export function linuxSpace({ machine, bounds }: Pick<LinuxRequest, 'machine' | 'bounds'>): Check {
  return {
    name: 'free space',
    asked: `${inMib(bounds.freeBytes)} in ${workFolder}`,
    after: ['login'],
    carryOut: async signal => {
      const free = parseFreeBytes(await ask(machine, `df -Pk ${workFolder}`, signal))
      return free === null
        ? seenIf(false, 'df tells no free space')
        : seenFree(free, bounds.freeBytes, workFolder)
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
