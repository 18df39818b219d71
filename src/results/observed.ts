import type { Cause } from '../config/errors.js'
import type { Exit } from '../journal/events.js'

/** The protocols in which a script may speak: declared in its manifest, never guessed. */
export type ScriptProtocol = 'tap' | 'ktap' | 'exit'

/** How a test's own code ended: a script by its exit, a module by returning, skipping or throwing. */
export type Ending =
  | Exit
  | { readonly kind: 'returned' }
  | { readonly kind: 'skipped'; readonly reason: string }
  /** `cause` is `test` for a bug of the module, and that of the trouble for everything else. */
  | { readonly kind: 'threw'; readonly cause: Cause; readonly message: string }

/** What a test says of itself beside its checks. A module says nothing more: `sound`. */
export type Report =
  | { readonly kind: 'sound' }
  /** It cannot be believed: no plan, a count that differs, a line out of place, … */
  | { readonly kind: 'fault'; readonly what: string }
  /** It says that it could not be carried out: `Bail out!`, or an exit code declared as an error. */
  | { readonly kind: 'gave-up'; readonly reason: string }
  /** It says that it does not apply; only an end with one of these statuses makes that a skip. */
  | { readonly kind: 'skip'; readonly reason: string; readonly statuses: readonly number[] }

/** Trouble that was found outside of the test, and whose fault it is. */
export interface FoundTrouble {
  readonly cause: Cause
  readonly message: string
}

/** What is learnt about an attempt after the test itself has ended. */
export interface LaterFacts {
  /** The machine was taken over by somebody else, or may have been: the lease was lost, or could not be confirmed. */
  readonly lease?: FoundTrouble & { readonly isTaken: boolean }
  /** The second guest was lost, or rebooted unexpectedly: no check can be believed that may rest on it. */
  readonly peer?: FoundTrouble
  /** The guest broke: a panic, a stop screen, a virtual machine that ended. */
  readonly crash?: string
  /** The connection was lost; the cause is what became of the guest. */
  readonly loss?: FoundTrouble
  /** The runner could not keep what it saw: a disk that is full, a file that vanished. */
  readonly unkept?: string
}

/**
 * Everything from which the verdict on one attempt of one test is decided. Facts that a pass needs are required, so
 * that none can be forgotten; facts that stand against one may be absent, or be found later.
 */
export interface Observed extends LaterFacts {
  readonly by: ScriptProtocol | 'module'
  /** Whether there is proof that it began; if not, what the guest printed instead. */
  readonly beginning: { readonly kind: 'seen' } | { readonly kind: 'missing'; readonly printed: string }
  readonly ending: Ending
  /** `cut` at a size limit; `held` by something that was left running, so that its end was not seen. */
  readonly output: 'whole' | 'cut' | 'held'
  readonly report: Report
  /** How many checks held, and for each that did not what is to be said of it. `todo` and `skip` are neither. */
  readonly held: number
  readonly failed: readonly string[]
  /** Ends that cannot both be true: two exit statuses, a status and a signal, a status that our mark denies. */
  readonly contradiction?: string
  /** Values that a module gave to `expect` and never asked about. */
  readonly unfinished?: number
  /** Calls of a module that had not been answered when its body returned. */
  readonly inFlight?: readonly string[]
  /**
   * Why the end of a module that returned is none: something kept its thread alive or ended it, it checked or called
   * afterwards, or fewer checks were received than it made.
   */
  readonly improperEnd?: string
}
