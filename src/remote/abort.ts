import { setMaxListeners } from 'node:events'

/**
 * Calls `act` when the signal aborts; the function that is returned takes that back. One signal of a
 * run is listened to by all its machines and commands at once, which is no leak.
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal === undefined) {
    return () => {}
  }
  setMaxListeners(0, signal)
  signal.addEventListener('abort', act, { once: true })
  return () => signal.removeEventListener('abort', act)
}
