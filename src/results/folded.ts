import type { CheckState, Exit, Measure } from '../journal/events.js'
import type { Judgement } from './judge.js'
import type { Observed } from './observed.js'

/** What a script left behind, as far as it was observed. */
export interface Ended extends Pick<Observed, 'contradiction' | 'loss' | 'unkept'> {
  /** Standard output, whole unless `truncated` says otherwise. */
  readonly stdout: Buffer | string
  readonly exit: Exit
  /** True when more was printed than was kept. */
  readonly truncated: boolean
  /** True when something still held the output after the script had exited. */
  readonly undrained?: boolean
  /** Whether there is proof that the script began. Seen, unless it says otherwise. */
  readonly beginning?: Observed['beginning']
}

/** One assertion of a test. A parent of subtests is listed only where it says what they do not. */
export interface Check {
  readonly state: CheckState
  readonly text: string
  /** What the script printed about it, cut to size; never empty. */
  readonly diagnostics?: string
  /** The texts of the subtests that it stands in, outermost first. */
  readonly path: readonly string[]
}

/** How many checks ended how. */
export interface Counts {
  readonly ok: number
  readonly notOk: number
  readonly todo: number
  readonly skip: number
}

/** What a script's output and end amount to, before the engine adds what it knows of guest and host. */
export interface Folded extends Judgement {
  readonly checks: readonly Check[]
  readonly counts: Counts
  readonly measures: Readonly<Record<string, Measure>>
  readonly facts: Readonly<Record<string, string>>
}
