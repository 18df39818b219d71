import type { Bytes } from '../files/bytes.js'
import type { Program } from '../system/programs.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'
import { complain } from './streams.js'

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** Formats a moment as `date +FORMAT` does, in UTC and the C locale. */
export function formatDate(format: Bytes, ns: bigint): Bytes {
  const seconds = ns >= 0n ? ns / 1_000_000_000n : (ns - 999_999_999n) / 1_000_000_000n
  const nanos = (ns - seconds * 1_000_000_000n).toString().padStart(9, '0')
  const at = new Date(Number(seconds) * 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  const dayName = days[at.getUTCDay()] ?? ''
  const monthName = months[at.getUTCMonth()] ?? ''
  const hour12 = at.getUTCHours() % 12 || 12
  const yearDay = Math.floor((at.getTime() - Date.UTC(at.getUTCFullYear(), 0, 1)) / 86_400_000) + 1
  const one: Readonly<Record<string, () => string>> = {
    '%': () => '%',
    a: () => dayName.slice(0, 3),
    A: () => dayName,
    b: () => monthName.slice(0, 3),
    B: () => monthName,
    c: () => formatDate('%a %b %e %H:%M:%S %Y', ns),
    C: () => two(Math.floor(at.getUTCFullYear() / 100)),
    d: () => two(at.getUTCDate()),
    D: () => formatDate('%m/%d/%y', ns),
    e: () => String(at.getUTCDate()).padStart(2),
    F: () => formatDate('%Y-%m-%d', ns),
    h: () => monthName.slice(0, 3),
    H: () => two(at.getUTCHours()),
    I: () => two(hour12),
    j: () => String(yearDay).padStart(3, '0'),
    k: () => String(at.getUTCHours()).padStart(2),
    l: () => String(hour12).padStart(2),
    m: () => two(at.getUTCMonth() + 1),
    M: () => two(at.getUTCMinutes()),
    n: () => '\n',
    N: () => nanos,
    p: () => (at.getUTCHours() < 12 ? 'AM' : 'PM'),
    r: () => formatDate('%I:%M:%S %p', ns),
    R: () => formatDate('%H:%M', ns),
    s: () => seconds.toString(),
    S: () => two(at.getUTCSeconds()),
    t: () => '\t',
    T: () => formatDate('%H:%M:%S', ns),
    u: () => String(at.getUTCDay() || 7),
    w: () => String(at.getUTCDay()),
    x: () => formatDate('%m/%d/%y', ns),
    X: () => formatDate('%H:%M:%S', ns),
    y: () => two(at.getUTCFullYear() % 100),
    Y: () => String(at.getUTCFullYear()),
    z: () => '+0000',
    Z: () => 'UTC',
  }
  return format.replace(
    /%([-_0^#]?)(\d*)(:*)([a-zA-Z%])/g,
    (all, flag: string, width: string, _colons: string, kind: string) => {
      const text = one[kind]?.()
      if (text === undefined) return all
      if (kind === 'N' && width !== '') return text.slice(0, Number(width))
      if (flag === '-') return text.replace(/^[ 0]+(?=.)/, '')
      if (flag === '_') return text.replace(/^0+(?=.)/, zeros => ' '.repeat(zeros.length))
      return text
    },
  )
}

/** Reads what `-d` and `-s` are usually given; undefined where the emulator cannot. */
export function parseDate(text: Bytes, nowNs: bigint): bigint | undefined {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === 'now') return nowNs
  const epoch = /^@(-?\d+)(?:\.(\d{1,9}))?$/.exec(trimmed)
  if (epoch) return BigInt(epoch[1] ?? 0) * 1_000_000_000n + BigInt((epoch[2] ?? '').padEnd(9, '0'))
  const relative = /^([-+]?\s*\d+)\s*(second|sec|minute|min|hour|day|week)s?(\s+ago)?$/.exec(trimmed)
  if (relative) {
    const units: Readonly<Record<string, bigint>> = {
      second: 1n,
      sec: 1n,
      minute: 60n,
      min: 60n,
      hour: 3600n,
      day: 86_400n,
      week: 604_800n,
    }
    const by =
      BigInt((relative[1] ?? '0').replace(/\s|\+/g, '')) * (units[relative[2] ?? ''] ?? 1n) * 1_000_000_000n
    return relative[3] ? nowNs - by : nowNs + by
  }
  const absolute =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?(?:[.,](\d{1,9}))?)?\s*(?:UTC|Z|GMT|\+00:?00)?$/.exec(
      trimmed,
    )
  if (!absolute) return undefined
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = absolute
    .slice(1, 7)
    .map(part => Number(part ?? 0))
  return (
    BigInt(Date.UTC(year, month - 1, day, hour, minute, second)) * 1_000_000n +
    BigInt((absolute[7] ?? '').padEnd(9, '0'))
  )
}

const date: Program = async call => {
  const options = readOptions(call.args, 'd:s:r:uRI:', {
    date: 'd',
    set: 's',
    reference: 'r',
    utc: 'u',
    universal: 'u',
    'rfc-2822': 'R',
    'rfc-email': 'R',
  })
  if (options.mistake !== undefined) return complain(call, options.mistake)
  const { clock, tree } = call.system
  let ns = clock.wallNs()
  const set = options.value('s')
  const given = set ?? options.value('d')
  if (given !== undefined) {
    const parsed = parseDate(given, ns)
    if (parsed === undefined) return complain(call, `invalid date '${given}'`)
    ns = parsed
    if (set !== undefined) {
      if (call.process.uid !== 0) return complain(call, 'cannot set date: Operation not permitted')
      clock.set(ns)
    }
  }
  const reference = options.value('r')
  if (reference !== undefined) {
    const node = tree.lookup(
      reference.startsWith('/') ? reference : `${call.process.cwd}/${reference}`,
      call.process,
    )
    if (!node) return complain(call, `${reference}: No such file or directory`)
    ns = BigInt(Math.round(node.modifiedMs)) * 1_000_000n
  }
  const [format] = options.operands
  const fallback = options.has('R') ? '%a, %d %b %Y %H:%M:%S %z' : '%a %b %e %H:%M:%S %Z %Y'
  await writeTo(call.process, 1, `${formatDate(format?.startsWith('+') ? format.slice(1) : fallback, ns)}\n`)
  return 0
}

export const datePrograms: Readonly<Record<string, Program>> = { date }
