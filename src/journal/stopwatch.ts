import type { JournalEvent } from './events.js'

/** Measures by the monotonic stamps of events, over several sessions. */
export interface Stopwatch {
  tick(event: JournalEvent): void
  /** All sessions together: they follow one another. */
  durationMs(): number
  /** The time in which any session was under way, for sessions side by side: they are placed by their wall clocks. */
  coveredMs(): number
}

interface Span {
  readonly first: number
  /** When it began, by the wall clock, in ms. */
  readonly startedAt: number
  last: number
}

/** Adds up each session's monotonic time, from its start or from its first event, to its last event. */
export function stopwatch({ fromStart }: { fromStart: boolean }): Stopwatch {
  const spans = new Map<number, Span>()
  return {
    tick({ epoch, ms, at }) {
      const span = spans.get(epoch)
      if (span === undefined) {
        const first = fromStart ? 0 : ms
        spans.set(epoch, { first, last: ms, startedAt: Date.parse(at) - (ms - first) })
      } else span.last = Math.max(span.last, ms)
    },
    durationMs: () => [...spans.values()].reduce((sum, { first, last }) => sum + last - first, 0),
    coveredMs: () => covered([...spans.values()]),
  }
}

function covered(spans: readonly Span[]): number {
  let sum = 0
  let until = Number.NEGATIVE_INFINITY
  for (const { startedAt, first, last } of spans.toSorted((a, b) => a.startedAt - b.startedAt)) {
    const end = startedAt + last - first
    sum += Math.max(0, end - Math.max(startedAt, until))
    until = Math.max(until, end)
  }
  return sum
}
