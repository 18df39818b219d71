import type { Limits } from '../../config/limits.js'
import { longestTimerMs, onAbort } from '../abort.js'
import type { RunOptions } from '../machine.js'

/** Why a command is ended before its time. */
export interface Stop {
  readonly limit: string
  readonly limitMs: number
}

/** Watches for the limit and the signal, whichever comes first. */
export function watch(
  { signal, limitMs, limitName = 'command' }: RunOptions,
  limits: Limits,
  startedAt: number,
): { stopped: Promise<Stop>; dispose: () => void } {
  const ms = Math.min(limitMs ?? limits.command, longestTimerMs)
  let stop: (stop: Stop) => void = () => {}
  const stopped = new Promise<Stop>(resolve => {
    stop = resolve
  })
  const timer = setTimeout(() => stop({ limit: limitName, limitMs: ms }), ms)
  const ignore = onAbort(signal, () =>
    stop({ limit: 'cancelled', limitMs: Math.round(performance.now() - startedAt) }),
  )
  return {
    stopped,
    dispose: () => {
      clearTimeout(timer)
      ignore()
    },
  }
}
