import stringWidth from 'string-width'
import { formatDuration } from '../../config/units.js'
import type { RunOpened, TestEnded, Verdict } from '../../journal/events.js'
import type { EnvironmentState, TestState } from '../../journal/state.js'
import type { Plan } from '../../plan/types.js'
import { cleanTerminalLine } from '../clean.js'
import { type Columns, fit } from './columns.js'
import type { Style } from './style.js'

const widestReason = 200
/** A reason that would be cut to less than this is left to the summary. */
const narrowestReason = 20

/** What one finished attempt's line is made of. */
export interface TestLineParts {
  readonly test: TestState
  readonly event: TestEnded
  readonly verdict: Verdict
  /** How many tests have finished, of how many; empty when another attempt will follow. */
  readonly count: string
  readonly columns: Columns
  readonly style: Style
}

/** One finished attempt of one test, as one line. */
export function testLine({ test, event, verdict, count, columns, style }: TestLineParts): string {
  const { final, durationMs, instance, reason } = event
  const flaky = final && test.flaky
  const paint = flaky ? 'flaky' : verdict
  const line = [
    style.dim(count.padStart(columns.count)),
    style.paint(paint, `${style.symbol(final ? paint : 'again')} ${paint.padEnd(7)}`),
    fit(columns.label(test.environment), columns.environment),
    fit(cleanTerminalLine(test.planned.id), columns.test),
    style.dim((instance === null ? '' : formatDuration(durationMs)).padStart(9)),
  ].join('  ')
  const room = Math.min(widestReason, columns.width - stringWidth(line) - 2)
  // Failures are told in full below their line.
  const told =
    final && (verdict === 'fail' || verdict === 'error')
      ? ''
      : final
        ? test.reason
        : `will be tried again: ${reason}`
  const why = told === '' || room < narrowestReason ? '' : `  ${style.dim(cleanTerminalLine(told, room))}`
  return `${line.trimEnd()}${why}\n`
}

/** An environment that has ended, as one line. */
export function environmentLine(
  { planned, counts, durationMs, tests }: EnvironmentState,
  columns: Columns,
  style: Style,
): string {
  const bad = tests.length - counts.pass - counts.skip
  const kind = bad === 0 ? 'pass' : counts.fail > 0 ? 'fail' : 'error'
  const skipped = counts.skip === 0 ? '' : `, ${counts.skip} skipped`
  const said = bad === 0 ? `${counts.pass} passed${skipped}` : `${bad} of ${tests.length} did not pass`
  return `${style.paint(kind, `${style.symbol(kind)} ${columns.label(planned.id)}`)}  ${said}  ${style.dim(formatDuration(durationMs))}\n`
}

/** What is about to run, before the first line of it. */
export function openingLines(
  { run, harness }: RunOpened,
  plan: Plan,
  parallel: number | undefined,
  style: Style,
): string {
  const total = plan.environments.length
  const emulated = plan.environments.filter(environment => environment.emulated).length
  const program = `${harness}${style.dot}lab ${plan.lab}${style.dot}run ${run}`
  const atOnce = parallel === undefined || total < 2 ? '' : `, ${Math.min(parallel, total)} at once`
  const lines = [
    style.dim(cleanTerminalLine(program)),
    style.bold(`Running ${counted(plan.expected, 'test')} in ${counted(total, 'environment')}${atOnce}`),
  ]
  if (emulated > 0) {
    const which = emulated === total ? 'Every environment' : counted(emulated, 'environment')
    const verb = emulated === 1 || emulated === total ? 'is' : 'are'
    lines.push(style.warn(`${which} ${verb} EMULATED: such results certify nothing`))
  }
  for (const { id, why } of plan.reserved ?? []) {
    lines.push(style.warn(cleanTerminalLine(`${id} is left out: ${why}`)))
  }
  return `${lines.join('\n')}\n\n`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
