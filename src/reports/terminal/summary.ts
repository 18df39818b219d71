import { formatDuration } from '../../config/units.js'
import type { Verdict } from '../../journal/events.js'
import { meaningOf } from '../../journal/exit.js'
import type { RunState, TestState } from '../../journal/state.js'
import { requiredLeftOut } from '../../plan/left-out.js'
import { cleanTerminalLine } from '../clean.js'
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
const mostListed = 30
const widestReason = 160

/** A failure's key in {@link SummaryParts.numbers}. */
export function failureKey({ environment, planned }: TestState): string {
  return `${environment}\n${planned.id}`
}

/** The end of a run's output: what did not pass, the counts, where the reports are, what the exit code means. */
export function summaryOf(parts: SummaryParts): string {
  const { state, style } = parts
  const tests = state.environments.flatMap(environment => environment.tests)
  const having = (verdict: Verdict): TestState[] => tests.filter(test => test.verdict === verdict)
  return [
    listed('Failed', 'fail', having('fail'), parts),
    listed('Errors', 'error', having('error'), parts),
    listed(
      'Flaky',
      'flaky',
      tests.filter(({ flaky }) => flaky),
      parts,
    ),
    grouped('Skipped', 'skip', having('skip'), parts),
    grouped('Blocked', 'blocked', having('blocked'), parts),
    grouped('Not run', 'not-run', having('not-run'), parts),
    leftBehind(parts),
    section(
      'Bugs of guestcert, please report them',
      state.problems.map(line => cleanTerminalLine(line)),
      style,
    ),
    figures(parts),
  ]
    .filter(block => block !== '')
    .join('\n')
}

/** One line a test. */
function listed(
  title: string,
  verdict: Verdict | 'flaky',
  tests: readonly TestState[],
  parts: SummaryParts,
): string {
  const { style, numbers, label } = parts
  const lines = tests.slice(0, mostListed).map(test => {
    const number = numbers.get(failureKey(test))
    const head = number === undefined ? style.symbol(verdict) : `${number})`
    const name = `${label(test.environment)}${style.arrow}${cleanTerminalLine(test.planned.id)}`
    const why = test.flaky ? firstTrouble(test) : test.reason
    return `${style.paint(verdict, `${head} ${name}`)}${optional(test)}  ${style.dim(cleanTerminalLine(why, widestReason))}`
  })
  return section(title, [...lines, ...more(tests.length)], style, tests.length)
}

/** One line for all tests of an environment that share a reason. */
function grouped(
  title: string,
  verdict: Verdict,
  tests: readonly TestState[],
  { style, label }: SummaryParts,
): string {
  const groups = new Map<string, TestState[]>()
  for (const test of tests) {
    const key = `${test.environment}\n${test.reason}`
    groups.set(key, [...(groups.get(key) ?? []), test])
  }
  const lines = [...groups.values()].slice(0, mostListed).map(group => {
    const [first] = group
    const names = group
      .slice(0, mostNamed)
      .map(test => `${cleanTerminalLine(test.planned.id)}${optional(test)}`)
    if (group.length > mostNamed) names.push(`${group.length - mostNamed} more`)
    const head = `${style.symbol(verdict)} ${label(first?.environment ?? '')}`
    const why = cleanTerminalLine(first?.reason ?? '', widestReason)
    return `${style.paint(verdict, head)}${style.arrow}${names.join(', ')}  ${style.dim(why)}`
  })
  return section(title, [...lines, ...more(groups.size)], style, tests.length)
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
  const { counts, environments } = state
  const total = environments.reduce((sum, { tests }) => sum + tests.length, 0)
  const words: readonly (readonly [verdict: Verdict, word: string])[] = [
    ['pass', 'passed'],
    ['fail', 'failed'],
    ['error', counts.error === 1 ? 'error' : 'errors'],
    ['skip', 'skipped'],
    ['blocked', 'blocked'],
    ['not-run', 'not run'],
  ]
  const counted = words
    .filter(([verdict]) => counts[verdict] > 0)
    .map(([verdict, word]) => style.paint(verdict, `${counts[verdict]} ${word}`))
  if (state.flaky > 0) counted.push(style.paint('flaky', `${state.flaky} flaky`))
  const emulated = environments.filter(({ planned }) => planned.emulated).length
  const mark = emulated === 0 ? '' : style.warn(`  ${emulated} EMULATED: they certify nothing`)
  const paint = exitCode === 0 ? 'pass' : exitCode === 1 || exitCode === 4 ? 'fail' : 'not-run'
  return [
    `  Tests         ${style.bold(String(total))}: ${counted.join(', ') || 'none'}`,
    ...leftOutLine(environments, style),
    `  Environments  ${style.bold(String(environments.length))}${mark}`,
    `  Time          ${formatDuration(state.durationMs)}`,
    `  Reports       ${shownPath(folder)}`,
    `  Exit          ${style.paint(paint, `${exitCode}: ${meaningOf(exitCode)}`)}`,
    '',
  ].join('\n')
}

/** Where all is well, nobody asks for what was not tried: it is said. */
function leftOutLine(environments: RunState['environments'], style: Style): string[] {
  const left = environments.map(({ planned }) => requiredLeftOut(planned)).filter(count => count > 0)
  if (left.length === 0) return []
  const total = left.reduce((sum, count) => sum + count, 0)
  const where = left.length === 1 ? '1 environment' : `${left.length} environments`
  const why = style.dim('(see "guestcert plan LAB" for the reasons)')
  return [`  Left out      ${style.warn(`${total} required`)} in ${where}  ${why}`]
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

/** Why a test that passed in the end had not passed before. */
function firstTrouble({ attempts }: TestState): string {
  const failed = attempts.find(({ verdict }) => verdict === 'fail' || verdict === 'error')
  return failed === undefined ? '' : `attempt ${failed.attempt}: ${failed.verdict}: ${failed.reason}`
}
