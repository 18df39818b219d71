import { pathToFileURL } from 'node:url'
import { InternalError, UsageError } from '../../config/errors.js'
import { withDeadline } from '../../deadline/deadline.js'
import type { JournalEvent } from '../../journal/events.js'
import type { ExitCode } from '../../journal/exit.js'
import type { RunState } from '../../journal/state.js'
import type { Plan } from '../../plan/types.js'
import { summaryOf } from '../summary.js'

/** What a reporter of one's own is given when it is made. */
export interface ReporterContext {
  readonly plan: Plan
  /** The run's folder. Absolute. */
  readonly folder: string
  /** Writes to standard output, above what guestcert shows there itself. */
  readonly print: (text: string) => unknown
}

/** How the run ended, for a reporter of one's own. */
export interface ReporterResult {
  readonly exitCode: number
  readonly folder: string
  /** What `summary.json` holds: see `schemas/summary.schema.json`. */
  readonly summary: Readonly<Record<string, unknown>>
}

/** What the default export of a reporter's module returns. Either method may be missing, and may return a promise. */
export interface CustomReporter {
  event?(event: JournalEvent): unknown
  end?(result: ReporterResult): unknown
}

/** A loaded reporter: makes what is told of one run. */
export type CustomReporterFactory = (context: ReporterContext) => {
  event(event: JournalEvent): unknown
  end(state: RunState, exitCode: ExitCode, folder: string): Promise<void>
}

/** Whether a `--reporter` names a file, and not a kind of our own. */
export function isReporterFile(name: string): boolean {
  return /[/\\]|\.[cm]?js$/.test(name)
}

/**
 * Loads a module whose default export makes a reporter. It is told of copies: what it does to them changes no report.
 *
 * @throws UsageError when it cannot be loaded, or exports no function.
 */
export async function loadReporter(path: string, limitMs: number): Promise<CustomReporterFactory> {
  let make: unknown
  try {
    make = ((await import(pathToFileURL(path).href)) as { readonly default?: unknown }).default
  } catch (error) {
    throw new UsageError(
      `the reporter ${path} cannot be loaded: ${error instanceof Error ? error.message : error}`,
    )
  }
  if (typeof make !== 'function') {
    throw new UsageError(`the reporter ${path} needs a function as its default export`)
  }
  return context => {
    const reporter =
      (make as (given: ReporterContext) => CustomReporter | undefined)(structuredCloneOf(context)) ?? {}
    return {
      event: event => blamed(path, () => reporter.event?.(structuredClone(event))),
      end: async (state, exitCode, folder) => {
        const result = { exitCode, folder, summary: structuredClone(summaryOf(state, exitCode)) }
        const error = (message: string): Error => new InternalError(message)
        await withDeadline({ name: 'report', ms: limitMs, where: `the reporter ${path}`, error }, async () =>
          blamed(path, () => reporter.end?.(result)),
        )
      },
    }
  }
}

function structuredCloneOf({ plan, ...rest }: ReporterContext): ReporterContext {
  return { ...rest, plan: structuredClone(plan) }
}

/** Whatever a reporter throws is said to be its own. */
function blamed(path: string, work: () => unknown): unknown {
  const blame = (error: unknown): never => {
    const why = error instanceof Error ? error.message : String(error)
    throw new InternalError(`the reporter ${path} failed: ${why}`, { cause: error })
  }
  try {
    const working = work()
    return working instanceof Promise ? working.catch(blame) : working
  } catch (error) {
    return blame(error)
  }
}
