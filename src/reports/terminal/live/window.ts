import stringWidth from 'string-width'
import { formatDuration, formatSize } from '../../../config/units.js'
import type { Verdict } from '../../../journal/events.js'
import type { Plan } from '../../../plan/types.js'
import { cleanTerminalLine } from '../../clean.js'
import { fit } from '../columns.js'
import type { Style } from '../style.js'
import type { Activity, Doing } from './activity.js'
import { type Expectations, leftMs } from './time-left.js'

/** How much of a host may be in use at once; a bound that is not finite is none. */
export interface HostCapacity {
  readonly guests: number
  readonly vcpus: number
  readonly memoryBytes: number
}

/** What the window is drawn from. */
export interface WindowParts {
  readonly activity: Activity
  readonly plan: Plan
  readonly style: Style
  readonly label: (environment: string) => string
  readonly capacityOf: (host: string) => HostCapacity | undefined
  readonly expectations: Expectations
  /** Environments at once. */
  readonly parallel: number
  /** Wall clock, in ms since 1970. */
  readonly nowMs: number
}

/** A terminal's size. */
export interface Size {
  readonly columns: number
  readonly rows: number
}

const rowsLeftToTheLog = 6
const fewestRows = 2
const slowMs = 60_000
const shortestSlowMs = 5_000
const timeWidth = 9
const markWidth = '  slow'.length
const narrowest = 12
const narrowestBar = 10
const widestBar = 30

/** The lines at the bottom of a terminal while a run goes on: hosts and what they do, what is waited for, progress. */
export function windowLines(parts: WindowParts, { columns, rows }: Size): readonly string[] {
  const most = Math.min(Math.max(fewestRows, rows - rowsLeftToTheLog), Math.max(1, rows - 1))
  const hosts = [...byHost(parts.activity.doing)].flatMap(([host, doing]) => [
    hostLine(host, doing, parts),
    ...doing.map(one => doingLine(one, parts, columns)),
  ])
  const waits = parts.activity.doing.filter(({ host }) => host === null).map(one => waitLine(one, parts))
  const all = ['', ...hosts, ...waits]
  const room = most - 1
  const shown =
    all.length <= room ? all : [...all.slice(0, room - 1), `  … and ${all.length - room + 1} more lines`]
  return [...shown.slice(0, Math.max(0, room)), progressLine(parts, columns)].map(line =>
    cutLine(line, columns - 1),
  )
}

function byHost(doing: readonly Doing[]): ReadonlyMap<string, readonly Doing[]> {
  const hosts = new Map<string, Doing[]>()
  for (const one of doing) {
    if (one.host === null) continue
    hosts.set(one.host, [...(hosts.get(one.host) ?? []), one])
  }
  return hosts
}

function hostLine(host: string, doing: readonly Doing[], { plan, style, capacityOf }: WindowParts): string {
  const capacity = capacityOf(host)
  const planned = doing.flatMap(
    ({ environment }) => plan.environments.find(({ id }) => id === environment) ?? [],
  )
  const vcpus = planned.reduce((sum, { configuration }) => sum + (configuration.vcpus ?? 0), 0)
  const memory = planned.reduce((sum, { configuration }) => sum + (configuration.memoryBytes ?? 0), 0)
  const use = [
    of(doing.length, capacity?.guests, String, 'guest'),
    of(vcpus, capacity?.vcpus, String, 'vCPU'),
    of(memory, capacity?.memoryBytes, formatSize, ''),
  ]
  return `${style.bold(cleanTerminalLine(host))}  ${style.dim(use.join(', '))}`
}

function of(used: number, most: number | undefined, format: (value: number) => string, unit: string): string {
  const isBound = most !== undefined && Number.isFinite(most)
  const plural = unit === '' || (isBound ? most : used) === 1 ? unit : `${unit}s`
  return `${format(used)}${isBound ? ` of ${format(most)}` : ''} ${plural}`.trim()
}

function doingLine(one: Doing, parts: WindowParts, columns: number): string {
  const { style, label, nowMs } = parts
  const elapsed = Math.max(0, nowMs - one.sinceMs)
  const isSlow = one.test !== null && elapsed > slowAfter(one, parts)
  const time = wholeSeconds(elapsed).padStart(timeWidth)
  const mark = isSlow ? `  ${style.warn('slow')}` : ''
  const wait = one.waiting === null ? '' : `  ${style.dim(waitText(one.waiting))}`
  const { doing } = parts.activity
  const room = columns - 2 - 2 - 2 - timeWidth - markWidth
  const what = Math.min(widest(doing.map(({ what }) => what)), Math.max(narrowest, Math.floor(room / 2)))
  const name = Math.min(
    widest(doing.map(({ environment }) => label(environment))),
    Math.max(narrowest, room - what),
  )
  return `  ${fit(label(one.environment), name)}  ${fit(cleanTerminalLine(one.what), what)}  ${isSlow ? style.warn(time) : style.dim(time)}${mark}${wait}`
}

function widest(texts: readonly string[]): number {
  return Math.max(narrowest, ...texts.map(text => stringWidth(text)))
}

/** Nobody needs tenths of what is redrawn once a second. */
function wholeSeconds(ms: number): string {
  return formatDuration(Math.floor(ms / 1000) * 1000)
    .replace(/^0 ms$/, '0 s')
    .replace(/\.0 s$/, ' s')
}

/** After twice the time that it took before; where nobody knows that, after half of its limit or a minute. */
function slowAfter({ environment, test }: Doing, { plan, expectations }: WindowParts): number {
  const before = expectations(environment, test ?? '')
  if (before !== undefined) return Math.max(shortestSlowMs, before * 2)
  const planned = plan.environments.find(({ id }) => id === environment)?.tests.find(({ id }) => id === test)
  return Math.min(slowMs, (planned?.limitMs ?? Number.POSITIVE_INFINITY) / 2)
}

function waitLine({ environment, waiting }: Doing, { style, label }: WindowParts): string {
  return `${style.dim('waits')}  ${label(environment)}  ${style.dim(waiting === null ? '' : waitText(waiting))}`
}

function waitText({ what, until }: NonNullable<Doing['waiting']>): string {
  return cleanTerminalLine(
    `waiting for ${what}${until === null ? '' : ` (until ${until.slice(11, 19)} UTC)`}`,
  )
}

const words: readonly (readonly [kind: Verdict | 'flaky', word: string])[] = [
  ['pass', 'passed'],
  ['fail', 'failed'],
  ['error', 'errors'],
  ['flaky', 'flaky'],
  ['blocked', 'blocked'],
  ['skip', 'skipped'],
]

function progressLine(parts: WindowParts, columns: number): string {
  const { activity, plan, style, nowMs } = parts
  const share = plan.expected === 0 ? 0 : activity.finished / plan.expected
  const width = Math.max(narrowestBar, Math.min(widestBar, Math.floor(columns / 5)))
  const done = Math.round(share * width)
  const bar = `${style.paint('pass', style.bar.done.repeat(done))}${style.dim(style.bar.left.repeat(width - done))}`
  const counts = words
    .filter(([kind]) => activity.counts[kind] > 0)
    .map(([kind, word]) => style.paint(kind, `${activity.counts[kind]} ${word}`))
  const elapsed = activity.startedMs === null ? 0 : Math.max(0, nowMs - activity.startedMs)
  const left = leftMs(parts)
  const times = [wholeSeconds(elapsed), ...(left === null ? [] : [`about ${wholeSeconds(left + 999)} left`])]
  const tests = `${activity.finished}/${plan.expected} tests`
  return [bar, ` ${style.bold(tests)}`, counts.join(', '), style.dim(times.join(', '))]
    .filter(Boolean)
    .join('  ')
}

/** A line with styles, cut where it would leave the terminal. */
function cutLine(line: string, width: number): string {
  if (stringWidth(line) <= width) return line
  let shown = ''
  let left = width - 1
  for (const part of line.split(/(\x1b\[[0-9;]*m)/)) {
    if (part.startsWith('\x1b[')) {
      shown += part
      continue
    }
    for (const character of part) {
      if (left < 0) break
      left -= stringWidth(character)
      shown += left < 0 ? '…' : character
    }
  }
  return shown
}
