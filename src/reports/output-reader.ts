import { InternalError } from '../config/errors.js'
import type { JournalEvent } from '../journal/events.js'
import type { ExitCode } from '../journal/exit.js'
import type { RunFold } from '../journal/fold.js'
import type { RunState } from '../journal/state.js'
import type { ReportContext } from './output.js'
import { type WantedOutput, writeOutputs } from './outputs.js'

/** What reports that are written during a run are made of. */
export interface OutputReaderOptions extends Omit<ReportContext, 'state' | 'exitCode'> {
  readonly wanted: readonly WantedOutput[]
  /** Has added every event before the reader is told of it. */
  readonly fold: RunFold
}

/** Until a run has ended nobody knows its exit code: for whoever asks, it is incomplete. */
const unendedExitCode: ExitCode = 3

/**
 * Writes the reports that `--to` names: some when the plan stands and after every environment, all at the end. While one
 * is being written, further environments may end: then it is written once more for all of them.
 */
export function outputReader({ wanted, fold, ...context }: OutputReaderOptions): {
  event(event: JournalEvent): Promise<void> | undefined
  end(state: RunState, exitCode: ExitCode): Promise<void>
} {
  const live = wanted.filter(({ kind }) => kind.live)
  let writing: Promise<void> | null = null
  let isStale = false

  async function refresh(): Promise<void> {
    do {
      isStale = false
      await writeAll(live, { ...context, state: fold.state(), exitCode: unendedExitCode })
    } while (isStale)
  }

  return {
    event({ type }) {
      if (live.length === 0 || (type !== 'session-started' && type !== 'environment-ended')) return undefined
      isStale = true
      writing ??= refresh().finally(() => {
        writing = null
      })
      return writing
    },
    end: (state, exitCode) => writeAll(wanted, { ...context, state, exitCode }),
  }
}

async function writeAll(wanted: readonly WantedOutput[], context: ReportContext): Promise<void> {
  const { failures } = await writeOutputs(wanted, context)
  const [first] = failures
  if (failures.length === 1) throw first
  if (first !== undefined) throw new InternalError(failures.map(({ message }) => message).join('; '))
}
