/** Waits on the simulated clock. Rejects with the reason of the first signal that aborts meanwhile. */
export function pause(ms: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const known = signals.filter(signal => signal !== undefined)
    const end = (): void => {
      clearTimeout(timer)
      for (const signal of known) {
        signal.removeEventListener('abort', abort)
      }
    }
    const abort = (): void => {
      end()
      reject(known.find(({ aborted }) => aborted)?.reason)
    }
    const timer = setTimeout(() => {
      end()
      resolve()
    }, ms)
    if (known.some(({ aborted }) => aborted)) {
      abort()
      return
    }
    for (const signal of known) {
      signal.addEventListener('abort', abort, { once: true })
    }
  })
}

/** Never ends by itself. */
export const forever: number = 2 ** 31 - 1
