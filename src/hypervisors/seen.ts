import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Capacity } from '../config/model.js'
import { formatSize } from '../config/units.js'
import { inRange, parseRange, parseVersion } from '../config/version.js'
import type { Check, Seen } from './driver.js'

/** Holds, or does not. */
export function seenIf(holds: boolean, seen: string): Seen {
  return { state: holds ? 'ok' : 'missing', seen }
}

/** A version that was seen, against the one that the lab declares: `7.2` holds for `7.2.22`. */
export function seenVersion(declared: string, seen: string | null): Seen {
  const [range, version] = [parseRange(declared), parseVersion(seen ?? '')]
  return seenIf(range !== null && version !== null && inRange(version, range), seen ?? 'it says none')
}

/** What a host has, against what the lab lends of it; what the lab does not bound is not asked about. */
export function capacityChecks(
  { vcpus, memoryBytes }: Capacity,
  after: readonly string[],
  has: (signal: AbortSignal) => Promise<{ readonly cpus: number; readonly memoryBytes: number }>,
): Check[] {
  const checks: Check[] = []
  if (Number.isFinite(vcpus)) {
    checks.push({
      name: 'vcpus',
      asked: `${vcpus} at least`,
      after,
      carryOut: async signal => {
        const { cpus } = await has(signal)
        return seenIf(cpus >= vcpus, String(cpus))
      },
    })
  }
  if (Number.isFinite(memoryBytes)) {
    checks.push({
      name: 'memory',
      asked: `${formatSize(memoryBytes)} at least`,
      after,
      carryOut: async signal => {
        const found = (await has(signal)).memoryBytes
        return seenIf(found >= memoryBytes, inMib(found))
      },
    })
  }
  return checks
}

/** Free bytes, against those that are wanted. */
export function seenFree(freeBytes: number, wantedBytes: number, folder: string): Seen {
  return seenIf(freeBytes >= wantedBytes, `${inMib(freeBytes)} in ${folder}`)
}

/** `1536MiB`. */
export function inMib(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)}MiB`
}

/** Reads the available space in what `df -Pk` prints (POSIX, df: the fourth field of the second line). */
export function parseFreeBytes(text: string): number | null {
  const line = text.trim().split('\n').at(-1) ?? ''
  const kib = /^\S.*?\s+\d+\s+\d+\s+(\d+)\s+\d+%\s+\S/.exec(line)?.[1]
  return kib === undefined ? null : Number(kib) * 1024
}

/** Bytes free on this machine, in a folder or in the nearest one above it that is there. */
export async function localFreeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch (error) {
    const above = dirname(folder)
    if (above === folder) {
      throw error
    }
    return localFreeBytes(above)
  }
}
