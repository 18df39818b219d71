import { formatDuration } from '../../config/units.js'
import type { JournalEvent, TestEnded, Waiting } from '../../journal/events.js'
import type { RunFold } from '../../journal/fold.js'
import type { RunState } from '../../journal/state.js'
import type { Plan } from '../../plan/types.js'
import { cleanTerminalLine } from '../clean.js'
import { columnsFor } from './columns.js'
import { failureBlock } from './failure.js'
import { openingLines, testLine } from './lines.js'
import { shownPath } from './paths.js'
import { createStyle } from './style.js'
import { failureKey, summaryOf } from './summary.js'

/** Where a reporter writes: a terminal if it says so. */
export interface ReporterStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number | undefined
}

/** How a run is told on a terminal. */
export interface TerminalOptions {
  readonly stream: ReporterStream
  readonly color: boolean
  readonly plan: Plan
  /** Has added every event before the reporter is told of it. */
  readonly fold: RunFold
  /** ASCII symbols only when false. */
  readonly unicode?: boolean
  /** The run's folder, so that evidence can be found. */
  readonly folder?: string
  /** Environments at once. */
  readonly parallel?: number
  /** Failures and the summary only. */
  readonly quiet?: boolean
}

/** A reader of a run's events. */
export interface Reporter {
  event(event: JournalEvent): void
  /** Called once, after the last event. */
  end(state: RunState, exitCode: number, folder: string): void
}

/** Tells a run line by line: one a finished test, failures as they become final, and a summary. */
export function createTerminalReporter(options: TerminalOptions): Reporter {
  const { stream, color, plan, fold, quiet = false } = options
  const style = createStyle({ color, unicode: options.unicode ?? true })
  const width = stream.isTTY === true ? stream.columns : undefined
  const columns = columnsFor(plan, width)
  const numbers = new Map<string, number>()
  /** Tests that have a final verdict: a guest may be brought up several times. */
  const finished = new Set<string>()
  /** Instances that were up: of the others, the end of their bring-up tells. */
  const ready = new Set<string>()

  function testEnded(event: TestEnded): void {
    const test = fold.test(event.environment, event.test)
    if (test === undefined) return
    // The fold has the last word: a pass that its checks contradict is none.
    const verdict = event.final ? test.verdict : event.verdict
    // What never ran is no finished test; the summary names it.
    if (verdict === 'not-run') return
    const isNew = event.final && !finished.has(failureKey(test))
    if (event.final) finished.add(failureKey(test))
    if (!quiet) {
      const count = isNew ? `${finished.size}/${plan.expected}` : ''
      stream.write(testLine({ test, event, verdict, count, columns, style }))
    }
    const failed = verdict === 'fail' || verdict === 'error'
    if (!event.final || !failed || numbers.has(failureKey(test))) return
    numbers.set(failureKey(test), numbers.size + 1)
    const environment = fold.environment(event.environment)
    const around = {
      instances: environment?.instances ?? [],
      emulated: environment?.planned.emulated ?? false,
      folder: options.folder === undefined ? '' : shownPath(options.folder),
      style,
    }
    stream.write(failureBlock(test, numbers.size, around))
  }

  function note(text: string): void {
    if (!quiet) say(text)
  }

  function say(text: string): void {
    stream.write(`${' '.repeat(columns.count)}  ${style.warn(cleanTerminalLine(text))}\n`)
  }

  return {
    event(event) {
      if (event.type === 'run-opened' && !quiet) {
        stream.write(openingLines(event, plan, options.parallel, style))
      } else if (event.type === 'test-ended') testEnded(event)
      else if (event.type === 'instance-ready') ready.add(event.instance)
      else if (event.type === 'instance-failed' && ready.has(event.instance)) {
        note(
          `${columns.label(event.environment)}: instance ${event.instance} cannot be used (${event.cause}): ${event.message}`,
        )
      } else if (event.type === 'waiting') {
        // Whoever looks at a silent terminal asks just this, however little he wanted to be told.
        say(waitingText(event, columns.label(event.environment)))
      } else if (event.type === 'host-set-aside') {
        note(`host ${event.host} is set aside for the rest of the run: ${event.reason}`)
      } else if (event.type === 'environment-moved') {
        note(`${columns.label(event.environment)}: goes on on ${event.to}: ${event.reason}`)
      } else if (event.type === 'lease-awaited') {
        note(
          `${columns.label(event.environment)}: waits, at most ${formatDuration(event.limitMs)}, for ${event.machine}: ${event.owner} has it`,
        )
      } else if (event.type === 'instance-ended' && event.orphan !== null && !event.kept) {
        note(
          `${columns.label(event.environment)}: instance ${event.instance} left something behind: ${event.orphan}`,
        )
      }
    },
    end(state, exitCode, folder) {
      stream.write(`\n${summaryOf({ state, exitCode, folder, numbers, label: columns.label, style })}`)
    },
  }
}

/** `deb: waiting for the guest to answer (10.0.0.5:22): … (since 10:15:00, until 10:25:00: limit boot)`, in UTC. */
function waitingText({ what, since, until, limit }: Waiting, label: string): string {
  const end = until === undefined ? ' UTC' : `, until ${timeOf(until)} UTC: limit "${limit}"`
  return `${label}: waiting for ${what} (since ${timeOf(since)}${end})`
}

function timeOf(at: string): string {
  return at.slice(11, 19)
}
