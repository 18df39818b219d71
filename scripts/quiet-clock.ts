import { availableParallelism, loadavg } from 'node:os'

const lookEveryMs = 1000

/**
 * Calls `act` after a time that passes more slowly the more programs share the machine, so that a limit means the same
 * work on a busy machine as on a quiet one. A machine that was suspended has not used the time. The function that is
 * returned ends the wait.
 */
export function afterQuietTime(ms: number, act: () => void): () => void {
  let leftMs = ms
  let lookedAt = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    const elapsedMs = Math.min(now - lookedAt, 2 * lookEveryMs)
    lookedAt = now
    const [load = 0] = loadavg()
    leftMs -= elapsedMs / Math.max(1, load / availableParallelism())
    if (leftMs <= 0) {
      clearInterval(timer)
      act()
    }
  }, lookEveryMs)
  return () => clearInterval(timer)
}
