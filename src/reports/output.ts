import type { ExitCode } from '../journal/exit.js'
import type { RunState, TestState } from '../journal/state.js'
import type { Waiver } from '../waivers/schema.js'

/** What a report is made of, and where it may look around. */
export interface ReportContext {
  readonly state: RunState
  readonly exitCode: ExitCode
  /** The run's folder. Absolute. */
  readonly folder: string
  /** Where readers of reports start from, for the paths of evidence. Absolute. */
  readonly workspace: string
  /** Failures that are forgiven, where waivers were given. */
  readonly waived?: ReadonlyMap<TestState, Waiver>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Writes to standard output: for what a CI system reads there. */
  readonly print: (text: string) => unknown
  /** How long a service may take to accept a report. */
  readonly limitMs: number
}

/** One kind of report. */
export interface OutputKind {
  /** What `--to NAME=…` calls it. */
  readonly name: string
  readonly description: string
  /** What `--to NAME=…` names. */
  readonly destination: 'file' | 'folder' | 'url' | 'none'
  /** Its place in the run's folder where none is named; absent where one must be named, or none can. */
  readonly usual?: string
  /** Also written when the plan stands, and after every environment. */
  readonly live?: true
  /** Writes it, and returns what was written, for people. @throws InternalError when that cannot be done. */
  write(context: ReportContext, to: string): Promise<readonly string[]>
}
