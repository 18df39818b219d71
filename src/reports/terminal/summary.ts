import { join } from 'node:path'
import { formatDuration } from '../../config/units.js'
import { meaningOf } from '../../journal/exit.js'
import type { RunState, TestState } from '../../journal/state.js'
import { cleanTerminalLine } from '../clean.js'
import {
  countWords,
  type Finding,
  findingOrder,
  findingsOf,
  findingTitles,
  leftOutOf,
  slowestOf,
} from '../findings.js'
import { shownPath } from './paths.js'
import type { Style } from './style.js'

/** What the end of a run's output is made of. */
export interface SummaryParts {
  readonly state: RunState
  readonly exitCode: number
  /** The run's folder. */
  readonly folder: string
  /** The numbers under which failures were shown. */
  readonly numbers: ReadonlyMap<string, number>
  /** What an environment is called. */
  readonly label: (environment: string) => string
  readonly style: Style
}

const mostNamed = 6
const mostSlow = 5
const leastSlowMs = 1000
const mostListed = 30
const widestReason = 160

/** A failure's key in {@link SummaryParts.numbers}. */
export function failureKey({ environment, planned }: TestState): string {
  return `${environment}\n${planned.id}`
}

/**
 * The end of a run's output: what did not pass, each cause once, the worst first; what took longest; the counts, where
 * the reports are, what the exit code means, and what to do next.
 */
export function summaryOf(parts: SummaryParts): string {
  const { state, style } = parts
  const findings = findingsOf(state)
  return [
    ...findingOrder.map(kind => findingSection(kind, findings, parts)),
    leftBehind(parts),
    section(
      'Bugs of guestcert, please report them',
      state.problems.map(line => cleanTerminalLine(line)),
      style,
    ),
    slowest(parts),
    figures(parts),
  ]
    .filter(block => block !== '')
    .join('\n')
}

/** Each cause once, with all tests that it hit. */
function findingSection(kind: Finding['kind'], findings: readonly Finding[], parts: SummaryParts): string {
  const own = findings.filter(finding => finding.kind === kind)
  const total = own.reduce((sum, { tests }) => sum + tests.length, 0)
  const lines = own.slice(0, mostListed).map(finding => findingLine(finding, parts))
  return section(findingTitles[kind], [...lines, ...more(own.length)], parts.style, total)
}

function findingLine({ kind, reason, tests }: Finding, { style, numbers, label }: SummaryParts): string {
  const places = new Map<string, TestState[]>()
  for (const test of tests.slice(0, mostNamed)) {
    places.set(test.environment, [...(places.get(test.environment) ?? []), test])
  }
  const names = [...places].map(([environment, all], index) => {
    const own = all.map(test => `${cleanTerminalLine(test.planned.id)}${optional(test)}`)
    const number = all[0] === undefined ? undefined : numbers.get(failureKey(all[0]))
    const head = number === undefined ? (index === 0 ? `${style.symbol(kind)} ` : '') : `${number}) `
    return `${head}${label(environment)}${style.arrow}${own.join(', ')}`
  })
  if (tests.length > mostNamed) names.push(`${tests.length - mostNamed} more`)
  return `${style.paint(kind, names.join('; '))}  ${style.dim(cleanTerminalLine(reason, widestReason))}`
}

function slowest({ state, style, label }: SummaryParts): string {
  const slow = slowestOf(state, mostSlow).filter(({ decisive }) => (decisive?.durationMs ?? 0) >= leastSlowMs)
  const lines = slow.map(
    ({ decisive, environment, planned }) =>
      `${formatDuration(decisive?.durationMs ?? 0).padStart(9)}  ${label(environment)}${style.arrow}${cleanTerminalLine(planned.id)}`,
  )
  return section('Slowest', lines, style)
}

/** What still runs, or lies about on a host: somebody has to look after it. */
function leftBehind({ state, style }: SummaryParts): string {
  const instances = state.environments.flatMap(({ planned, instances: all }) =>
    all.map(instance => ({ ...instance, environment: planned.id })),
  )
  const kept = instances.filter(({ ended }) => ended?.kept)
  const orphans = instances.filter(({ ended }) => ended !== null && !ended.kept && ended.orphan !== null)
  return [
    section(
      'Kept running',
      // For what is kept on purpose, the journal says how to get in.
      kept.flatMap(({ id, host, environment, ended }) => [
        cleanTerminalLine(`${id} on ${host}${ended?.orphan == null ? '' : `: ${ended.orphan}`}`),
        `  ${style.dim(cleanTerminalLine(`guestcert shell ${state.run ?? 'RUN'} ${environment} --lab LAB`))}`,
      ]),
      style,
      kept.length,
    ),
    section(
      'Left behind on hosts',
      orphans.map(({ id, host, ended }) => cleanTerminalLine(`${id} on ${host}: ${ended?.orphan ?? ''}`)),
      style,
    ),
  ]
    .filter(block => block !== '')
    .join('\n')
}

function figures({ state, exitCode, folder, style }: SummaryParts): string {
  const { environments } = state
  const total = environments.reduce((sum, { tests }) => sum + tests.length, 0)
  const counted = countWords(state).map(([kind, text]) => style.paint(kind, text))
  const emulated = environments.filter(({ planned }) => planned.emulated).length
  const mark = emulated === 0 ? '' : style.warn(`  ${emulated} EMULATED: they certify nothing`)
  const paint = exitCode === 0 ? 'pass' : exitCode === 1 || exitCode === 4 ? 'fail' : 'not-run'
  return [
    `  Tests         ${style.bold(String(total))}: ${counted.join(', ') || 'none'}`,
    ...leftOutLine(state, style),
    `  Environments  ${style.bold(String(environments.length))}${mark}`,
    `  Time          ${formatDuration(state.durationMs)}`,
    `  Reports       ${shownPath(folder)}`,
    `  Exit          ${style.paint(paint, `${exitCode}: ${meaningOf(exitCode)}`)}`,
    ...nextLines(state, exitCode, folder),
    '',
  ].join('\n')
}

/** What whoever reads this may want to do. */
function nextLines({ counts }: RunState, exitCode: number, folder: string): string[] {
  if (exitCode === 0) return []
  const page = join(shownPath(folder), 'index.html')
  const undone = counts.fail + counts.error + counts.blocked + counts['not-run'] > 0
  return [
    `  Next          read ${page}${undone ? '; then "guestcert run LAB --last-failed" for what did not pass' : ''}`,
  ]
}

/** Where all is well, nobody asks for what was not tried: it is said. */
function leftOutLine(state: RunState, style: Style): string[] {
  const left = leftOutOf(state)
  if (left === null) return []
  const where = left.environments === 1 ? '1 environment' : `${left.environments} environments`
  const why = style.dim('(see "guestcert plan LAB" for the reasons)')
  return [`  Left out      ${style.warn(`${left.required} required`)} in ${where}  ${why}`]
}

function section(title: string, lines: readonly string[], style: Style, count = lines.length): string {
  if (lines.length === 0) return ''
  return `${style.bold(`${title} (${count})`)}\n${lines.map(line => `  ${line}\n`).join('')}`
}

function more(total: number): readonly string[] {
  return total > mostListed ? [`and ${total - mostListed} more`] : []
}

function optional({ planned }: TestState): string {
  return planned.level === 'optional' ? ' (optional)' : ''
}
