import type { JournalEvent } from '../src/journal/events.js'

/** What one test was seen to do, without what is another at every run: numbers and diagnostics. */
export interface Seen {
  readonly verdict: string
  /** State and text of each check, in order. */
  readonly checks: readonly string[]
}

/** What was seen of each test of an environment: of its last attempt. */
export function seenIn(
  events: readonly JournalEvent[],
  isOurs: (environment: string) => boolean,
): Map<string, Seen> {
  const seen = new Map<string, Seen>()
  for (const event of events) {
    if (event.type === 'test-ended' && isOurs(event.environment) && event.final) {
      const checks = events.flatMap(other =>
        other.type === 'check' &&
        other.environment === event.environment &&
        other.test === event.test &&
        other.attempt === event.attempt
          ? [`${other.state}: ${other.text}`]
          : [],
      )
      seen.set(event.test, { verdict: event.verdict, checks })
    }
  }
  return seen
}

/** Every difference between two guests that should be one, in words; none where they did the same. */
export function differences(original: ReadonlyMap<string, Seen>, copy: ReadonlyMap<string, Seen>): string[] {
  const tests = [...new Set([...original.keys(), ...copy.keys()])]
  return tests.flatMap(test => {
    const [one, other] = [original.get(test), copy.get(test)]
    if (one === undefined || other === undefined) {
      return [`${test}: ran on the ${one === undefined ? 'copy' : 'original'} alone`]
    }
    const verdicts =
      one.verdict === other.verdict ? [] : [`${test}: original ${one.verdict}, copy ${other.verdict}`]
    const longest = Math.max(one.checks.length, other.checks.length)
    const checks = Array.from({ length: longest }, (_, index) => index).flatMap(index => {
      const [seen = 'no check', played = 'no check'] = [one.checks[index], other.checks[index]]
      return seen === played ? [] : [`${test}, check ${index + 1}: original "${seen}", copy "${played}"`]
    })
    return [...verdicts, ...checks]
  })
}
