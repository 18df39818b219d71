/** Whether a lost connection is expected just now, and why. */
export interface ExpectedWindow {
  /** Opens the window; it closes by itself after `withinMs`, or when the returned function is called. */
  open(what: string, withinMs: number): () => void
  /** What is expected at this moment, or `null`. */
  current(): string | null
}

/** The windows in which a module has said that it will lose the connection. */
export function expectedWindow(now: () => number = () => performance.now()): ExpectedWindow {
  let open: { what: string; until: number } | null = null
  return {
    open: (what, withinMs) => {
      const mine = { what, until: now() + withinMs }
      open = mine
      return () => {
        open = open === mine ? null : open
      }
    },
    current: () => (open !== null && now() < open.until ? open.what : null),
  }
}
