import type { JournalEvent } from './events.js'

/** Measures by the monotonic stamps of events, over several sessions. */
export interface Stopwatch {
  tick(event: JournalEvent): void
  durationMs(): number
}

/** Adds up each session's monotonic time, from its start or from its first event, to its last event. */
export function stopwatch({ fromStart }: { fromStart: boolean }): Stopwatch {
  const spans = new Map<number, { first: number; last: number }>()
  return {
    tick({ epoch, ms }) {
      const span = spans.get(epoch)
      if (span === undefined) spans.set(epoch, { first: fromStart ? 0 : ms, last: ms })
      else span.last = Math.max(span.last, ms)
    },
    durationMs: () => [...spans.values()].reduce((sum, { first, last }) => sum + last - first, 0),
  }
}
