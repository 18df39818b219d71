import type { Duplex } from 'node:stream'
import type { Stillness } from './stillness.js'

/** Keepalive probes that may go unanswered before the connection counts as lost. */
const mostUnanswered = 3

/** What is needed to notice that a connection has gone silent. */
export interface SilenceOptions {
  /** What the connection runs on. */
  readonly stream: Duplex
  /** Between two keepalive probes: each brings an answer. */
  readonly intervalMs: number
  readonly stillness: Stillness
  readonly onSilent: (what: string) => void
}

/**
 * Tells once when nothing was heard on a connection though it was probed several times. Time in which the machine is
 * held still does not count: what was asked then is answered when it goes on. Ends with the stream.
 */
export function watchSilence({ stream, intervalMs, stillness, onSilent }: SilenceOptions): void {
  let unanswered = 0
  let cancel = (): void => {}
  const next = (): void => {
    cancel = stillness.after(intervalMs, () => {
      unanswered += 1
      if (unanswered > mostUnanswered) {
        onSilent(`no answer to ${mostUnanswered} keepalive probes, ${intervalMs} ms apart`)
      } else {
        next()
      }
    })
  }
  stream.on('data', () => {
    unanswered = 0
  })
  stream.once('close', () => cancel())
  next()
}
