import type { Measure } from '../journal/events.js'

/** One test point, as the script printed it. */
export interface Point {
  /** `null` when the script left the numbering to its reader. */
  readonly number: number | null
  readonly ok: boolean
  readonly directive: 'todo' | 'skip' | null
  /** What follows the directive. */
  readonly reason: string
  readonly text: string
  diagnostics: string
  readonly subtests: Document | null
}

/** The line that says how many points there are. */
export interface Plan {
  readonly start: number
  readonly end: number
  /** The reason after `# SKIP`, which may be empty; `null` without that directive. */
  readonly skip: string | null
}

/** A TAP or KTAP document, or a subtest in one: what was printed, with all that is wrong with it. */
export interface Document {
  readonly points: Point[]
  plan: Plan | null
  /** The reason after `Bail out!`; `null` when nobody bailed out. */
  bailout: string | null
  /** What keeps the document from being believed, in order. */
  readonly faults: string[]
  /** True when a line belonged to no part of the protocol. */
  strayLines: boolean
  readonly measures: Record<string, Measure>
  readonly facts: Record<string, string>
}

/** Bounds on what a guest may make the runner remember. Characters, but for the counts. */
export const bounds = {
  points: 10_000,
  lines: 200_000,
  line: 64 * 1024,
  nesting: 16,
  text: 500,
  diagnostics: 16 * 1024,
  facts: 200,
} as const

/** A document in which nothing has been read yet. */
export function emptyDocument(): Document {
  return {
    points: [],
    plan: null,
    bailout: null,
    faults: [],
    strayLines: false,
    measures: Object.create(null),
    facts: Object.create(null),
  }
}

/** Cuts a guest's text to `limit` characters and says how many are gone. */
export function cutText(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length - limit} more characters)`
}

/**
 * True for a line that a person would take for part of a TAP document although no parser does: a failure
 * with two spaces, a second plan, a point after the end. Nothing with such a line in it is believed.
 */
export function looksLikeTap(line: string): boolean {
  return /^\s*(?:(?:not\s+)?ok\b|\d+\s*\.\.\s*\d+|bail\s*out\b|k?tap\s+version\b|pragma\s+[+-])/i.test(line)
}

/** Adds a fault once: a flood of the same kind says no more than one. */
export function addFault(document: Document, fault: string): void {
  if (!document.faults.includes(fault)) document.faults.push(fault)
}
