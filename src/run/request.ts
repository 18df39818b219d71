import type { Labels } from '../config/labels.js'
import type { Lab } from '../config/model.js'
import type { History } from '../engine/estimate.js'
import type { Keep, RunSettings } from '../engine/settings.js'
import type { Certify, EventBody, JournalEvent } from '../journal/events.js'
import type { ExitCode } from '../journal/exit.js'
import type { RunFold } from '../journal/fold.js'
import type { RunState } from '../journal/state.js'
import type { HostLoad } from '../lab/emulated.js'
import type { Suite } from '../plan/suite.js'
import type { Plan } from '../plan/types.js'

/** Where the events of a run are written: its journal, or that of somebody who runs it from afar. */
export interface EventSink {
  /** Resolves with the stamped event once nothing can take it back. @throws InternalError when it never will be. */
  append(body: EventBody): Promise<JournalEvent>
  /** @throws InternalError when what was written is not whole. */
  close(): Promise<void>
  /** True when what was written is lost: then the run's folder is not ours any more. */
  readonly isGone: boolean
}

/** Whoever is told of each event once it is written. What it still does when it has been told, the run's end awaits. */
export interface EventReader {
  event(event: JournalEvent): unknown
  /** The run is closed, and its JUnit files and summary are written. */
  end(state: RunState, exitCode: ExitCode, folder: string): unknown
}

/** A run: what is to be done, where it is written, and by what it is ended. */
export interface RunRequest {
  readonly lab: Lab
  readonly suites: readonly Suite[]
  readonly plan: Plan
  /** The folder of a run that this is a further session of. Absolute; absent for a new run. */
  readonly resumes?: string
  /** The folder that holds runs, one folder each. Absolute. */
  readonly output: string
  /** Where readers of reports start from, for the paths of attachments. Absolute. */
  readonly workspace: string
  /** Where images and running labs are kept. Absolute. */
  readonly cacheFolder: string
  /** An emulated lab that runs already is used instead of one of this run's own. */
  readonly reusesLab: boolean
  /** Who runs this: others who wait for a machine are told. */
  readonly who: string
  readonly keep: Keep
  readonly parallel: number
  readonly retries: number
  /** How long things took in earlier runs. */
  readonly history: History
  /** What whoever starts it says about it. */
  readonly labels?: Labels
  /** What it is bound to, where it was registered in a record before. */
  readonly certify?: Certify
  /** Begins nothing more once a required test has ended as `fail` or `error`. */
  readonly failFast?: boolean
  /** Modules wait for a debugger. */
  readonly inspect?: NonNullable<RunSettings['inspect']>
  /** Once aborted, nothing new is begun; what runs is ended and undone. */
  readonly drain: AbortSignal
  /** Once aborted, everything stops now. */
  readonly stop: AbortSignal
  /** Where events go instead of a journal in the run's folder. */
  readonly sink?: EventSink
  /**
   * Makes the readers that are told of every event, after the fold has added it, one after the other. One that throws or
   * rejects is told nothing more, and the run ends with 4; the others go on.
   */
  readonly readersFor?: (folder: string, fold: RunFold) => readonly EventReader[]
  /** Takes what is to be said once and is not an event: what the reports' file system cannot do. */
  readonly warn: (text: string) => void
  /** Takes what the emulated hosts of the run's own lab counted. */
  readonly onHostLoads?: (loads: readonly HostLoad[]) => void
}

/** How a run ended. */
export interface RunResult {
  readonly run: string
  readonly folder: string
  readonly state: RunState
  readonly exitCode: ExitCode
}
