import { formatDuration } from '../../config/units.js'
import type { JournalEvent, TestEnded, Waiting } from '../../journal/events.js'
import type { RunFold } from '../../journal/fold.js'
import type { RunState } from '../../journal/state.js'
import type { Plan } from '../../plan/types.js'
import { cleanTerminalLine } from '../clean.js'
import { columnsFor } from './columns.js'
import { failureBlock } from './failure.js'
import { startHeartbeat } from './heartbeat.js'
import { environmentLine, openingLines, testLine } from './lines.js'
import { ActivityFold } from './live/activity.js'
import { type BottomWindow, openLive } from './live/live.js'
import type { Expectations } from './live/time-left.js'
import type { HostCapacity } from './live/window.js'
import { shownPath } from './paths.js'
import { createStyle } from './style.js'
import { failureKey, summaryOf } from './summary.js'

/** Where a reporter writes: a terminal if it says so. */
export interface ReporterStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number | undefined
  /** Of a terminal whose bottom can be redrawn in place. */
  readonly window?: BottomWindow
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
  /** Shows what runs in the stream's window. */
  readonly live?: boolean
  /** A run that goes on, and is not told again: lines have the time, and after a minute without one there is a heartbeat. */
  readonly timed?: boolean
  /** How much of a host may be in use at once. */
  readonly capacityOf?: (host: string) => HostCapacity | undefined
  /** How long tests took before. */
  readonly expectations?: Expectations
  /** Wall clock, in ms since 1970. */
  readonly now?: () => number
}

/** A reader of a run's events. */
export interface Reporter {
  event(event: JournalEvent): void
  /** Called once, after the last event. */
  end(state: RunState, exitCode: number, folder: string): void
}

/** Tells a run line by line: one a finished test, failures as they become final, and a summary. */
export function createTerminalReporter(options: TerminalOptions): Reporter {
  const { stream, color, plan, fold, quiet = false, timed = false, now = Date.now } = options
  const style = createStyle({ color, unicode: options.unicode ?? true })
  const width = stream.isTTY === true ? stream.columns : undefined
  const columns = columnsFor(plan, width === undefined || !timed ? width : width - stampWidth)
  const numbers = new Map<string, number>()
  /** Tests that have a final verdict: a guest may be brought up several times. */
  const finished = new Set<string>()
  /** Instances that were up: of the others, the end of their bring-up tells. */
  const ready = new Set<string>()
  const activity = new ActivityFold(fold)
  const window = options.live === true ? stream.window : undefined
  if (window !== undefined) {
    openLive({
      window,
      activity,
      plan,
      style,
      now,
      label: columns.label,
      capacityOf: options.capacityOf ?? (() => undefined),
      expectations: options.expectations ?? (() => undefined),
      parallel: options.parallel ?? 1,
    })
  }
  const heartbeat =
    timed && !quiet
      ? startHeartbeat({ activity, plan, now, label: columns.label, say: (text, at) => say(text, at) })
      : null

  function write(text: string): void {
    stream.write(text)
    heartbeat?.said()
  }

  /** `10:15:00 ` in UTC, where lines are read later or elsewhere. */
  function stamp(at: string): string {
    return timed ? style.dim(`${timeOf(at)} `) : ''
  }

  function testEnded(event: JournalEvent & TestEnded): void {
    const test = fold.test(event.environment, event.test)
    if (test === undefined) return
    // The fold has the last word: a pass that its checks contradict is none.
    const verdict = event.final ? test.verdict : event.verdict
    // What never ran is not a finished test; the summary names it.
    if (verdict === 'not-run') return
    const isNew = event.final && !finished.has(failureKey(test))
    if (event.final) finished.add(failureKey(test))
    // The window shows what passes; above it stands what somebody has to look at.
    const isShown =
      window === undefined || !event.final || test.flaky || (verdict !== 'pass' && verdict !== 'skip')
    if (!quiet && isShown) {
      const count = isNew ? `${finished.size}/${plan.expected}` : ''
      write(`${stamp(event.at)}${testLine({ test, event, verdict, count, columns, style })}`)
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
    write(failureBlock(test, numbers.size, around))
  }

  function note(text: string, at: string): void {
    if (!quiet) say(text, at)
  }

  function say(text: string, at: string): void {
    write(`${stamp(at)}${' '.repeat(columns.count)}  ${style.warn(cleanTerminalLine(text))}\n`)
  }

  function tell(event: JournalEvent): void {
    if (event.type === 'run-opened' && !quiet) {
      write(openingLines(event, plan, options.parallel, style))
    } else if (event.type === 'test-ended') testEnded(event)
    else if (event.type === 'instance-ready') ready.add(event.instance)
    else if (event.type === 'environment-ended' && window !== undefined && !quiet) {
      const environment = fold.environment(event.environment)
      if (environment !== undefined) write(environmentLine(environment, columns, style))
    } else if (event.type === 'waiting') {
      // Whoever looks at a silent terminal asks just this, however little he wanted to be told.
      if (window === undefined) say(waitingText(event, columns.label(event.environment)), event.at)
    } else {
      const text = noteText(event, columns.label, ready)
      if (text !== null) note(text, event.at)
    }
  }

  return {
    event(event) {
      activity.add(event)
      tell(event)
      window?.touch()
    },
    end(state, exitCode, folder) {
      heartbeat?.stop()
      window?.close()
      stream.write(`\n${summaryOf({ state, exitCode, folder, numbers, label: columns.label, style })}`)
    },
  }
}

const stampWidth = 'hh:mm:ss '.length

/** What else is worth a line of its own, or `null`. */
function noteText(
  event: JournalEvent,
  label: (environment: string) => string,
  ready: ReadonlySet<string>,
): string | null {
  switch (event.type) {
    case 'instance-failed':
      return ready.has(event.instance)
        ? `${label(event.environment)}: instance ${event.instance} cannot be used (${event.cause}): ${event.message}`
        : null
    case 'host-set-aside':
      return `host ${event.host} is set aside for the rest of the run: ${event.reason}`
    case 'instance-moved':
      return `${label(event.environment)}: instance ${event.instance} was moved from ${event.from} to ${event.to}, unexpectedly`
    case 'instance-restarted':
      return `${label(event.environment)}: instance ${event.instance} was restarted unexpectedly (${event.cause}): ${event.reason}`
    case 'environment-moved':
      return `${label(event.environment)}: goes on on ${event.to}: ${event.reason}`
    case 'lease-awaited':
      return `${label(event.environment)}: waits, at most ${formatDuration(event.limitMs)}, for ${event.machine}: ${event.owner} has it`
    case 'instance-ended':
      return event.orphan !== null && !event.kept
        ? `${label(event.environment)}: instance ${event.instance} left something behind: ${event.orphan}`
        : null
    default:
      return null
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
