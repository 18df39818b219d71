import { longestTimerMs, onAbort } from '../../deadline/signals.js'
import type { RunOptions } from '../machine.js'
import type { PosixHost } from './host.js'

/** Why a command is ended before its time. */
export interface Stop {
  readonly limit: string
  readonly limitMs: number
}

/** Watches for the limit, in which time that the machine is held still does not count, and for the signal. */
export function watch(
  { signal, limitMs, limitName = 'command' }: RunOptions,
  { limits, stillness }: Pick<PosixHost, 'limits' | 'stillness'>,
  startedAt: number,
): { stopped: Promise<Stop>; dispose: () => void } {
  const ms = Math.min(limitMs ?? limits.command, longestTimerMs)
  let stop: (stop: Stop) => void = () => {}
  const stopped = new Promise<Stop>(resolve => {
    stop = resolve
  })
  const cancel = stillness.after(ms, () => stop({ limit: limitName, limitMs: ms }))
  const ignore = onAbort(signal, () =>
    stop({ limit: 'cancelled', limitMs: Math.round(performance.now() - startedAt) }),
  )
  return {
    stopped,
    dispose: () => {
      cancel()
      ignore()
    },
  }
}
