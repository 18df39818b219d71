import type { Counts } from '../../journal/state.js'
import { cleanXmlLine } from '../clean.js'
import { seconds } from './names.js'

/** `rich` carries all that readers know; `strict` validates against the xunit plugin's junit-10.xsd. */
export type Profile = 'rich' | 'strict'

/** What the root element says of all its suites. */
export interface RootFacts {
  readonly profile: Profile
  readonly run: string | null
  readonly counts: JunitCounts
  readonly durationMs: number
  /** UTC, ISO 8601 with ms; `null` when nothing has begun. */
  readonly startedAt: string | null
}

/** How many cases ended how, in JUnit's words. */
export interface JunitCounts {
  readonly tests: number
  readonly failures: number
  readonly errors: number
  readonly skipped: number
}

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'

/** What stands before the suites of a document. */
export function documentHead({ profile, run, counts, durationMs, startedAt }: RootFacts): string {
  const time = { time: seconds(durationMs) }
  // The strict schema knows no `skipped` here, and a reader that finds the other three takes skips for passes.
  const more =
    profile === 'strict'
      ? time
      : { ...counts, ...time, ...(startedAt === null ? {} : { timestamp: startedAt }) }
  const attributes = Object.entries({ name: `guestcert ${run ?? ''}`.trim(), ...more }).map(
    ([name, value]) => ` ${name}="${escaped(cleanXmlLine(String(value), 200))}"`,
  )
  return `${declaration}<testsuites${attributes.join('')}>\n`
}

/** What stands behind them. */
export const documentEnd = '</testsuites>\n'

/** The suites of a document as the builder made it: what stands in its root. */
export function suitesIn(document: string): string {
  const [from, to] = [document.indexOf('<testsuite '), document.lastIndexOf('</testsuites>')]
  return from === -1 ? '' : `  ${document.slice(from, to).trimEnd()}\n`
}

/** Verdicts as JUnit counts them: what was blocked or did not run is not a skip, since skips are green everywhere. */
export function junitCounts(counts: Counts, troubles = 0): JunitCounts {
  const { pass, fail, error, skip, blocked, 'not-run': notRun } = counts
  const errors = error + blocked + notRun + troubles
  return { tests: pass + fail + skip + errors, failures: fail, errors, skipped: skip }
}

/** Adds counts up. */
export function sumJunitCounts(all: readonly JunitCounts[]): JunitCounts {
  const sum = (key: keyof JunitCounts): number => all.reduce((total, counts) => total + counts[key], 0)
  return { tests: sum('tests'), failures: sum('failures'), errors: sum('errors'), skipped: sum('skipped') }
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, character => entities[character] ?? character)
}
