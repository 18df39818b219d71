const durationParts = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$/
const sizePattern = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB|KB|MB|GB|TB)$/

const bytesPerUnit: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
}

/** Reads `90s`, `10m`, `1h30m`, `250ms` into ms; `null` when it is not a duration. */
export function parseDurationMs(text: string): number | null {
  const match = durationParts.exec(text)
  if (match === null || text === '') {
    return null
  }
  const [, hours = '0', minutes = '0', seconds = '0', ms = '0'] = match
  return Math.round(
    Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000 + Number(ms),
  )
}

/** Reads `4GiB`, `512MiB`, `16GB` into bytes; `null` when it is not a size. */
export function parseSizeBytes(text: string): number | null {
  const match = sizePattern.exec(text)
  const perUnit = bytesPerUnit[match?.[2] ?? '']
  return match === null || perUnit === undefined ? null : Math.round(Number(match[1]) * perUnit)
}

/** Writes ms as people say it: `850 ms`, `12.3 s`, `4 m 05 s`, `1 h 02 m`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) {
    return `${Math.round(ms)} ms`
  }
  if (ms < 59_950) {
    return `${(ms / 1000).toFixed(1)} s`
  }
  const totalSec = Math.round(ms / 1000)
  const minutes = Math.floor(totalSec / 60)
  return minutes < 60
    ? `${minutes} m ${pad(totalSec % 60)} s`
    : `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} m`
}

/** Writes bytes in the largest binary unit that leaves no fraction, as labs write them: `4GiB`. */
export function formatSize(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const perUnit = bytesPerUnit[unit] ?? 1
    if (bytes >= perUnit && bytes % perUnit === 0) {
      return `${bytes / perUnit}${unit}`
    }
  }
  return `${bytes}B`
}

/**
 * Writes a number that was measured without digits that were not: clocks tell no more than thousandths of what they
 * are read in. Whole numbers are written whole; below one, three digits that count.
 */
export function formatMeasured(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) {
    return String(value)
  }
  return String(Number(Math.abs(value) < 1 ? value.toPrecision(3) : value.toFixed(3)))
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
