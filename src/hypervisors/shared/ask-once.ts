/**
 * Shares the answer to a question that is asked once. Whoever comes while it is being asked waits for it; when the one
 * who asked gave up, or was refused, the next asks by itself, under its own signal. A failure is not kept.
 */
export function askOnce<T>(ask: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let asked: Promise<T> | null = null
  return async signal => {
    for (;;) {
      const others = asked
      const asking = others ?? ask(signal)
      asked = asking
      try {
        return await asking
      } catch (error) {
        if (asked === asking) {
          asked = null
        }
        if (others === null || signal.aborted) {
          throw error
        }
      }
    }
  }
}
