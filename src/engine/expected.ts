/** Whether a lost connection is expected just now, and why. */
export interface ExpectedWindow {
  /** Opens the window; it closes by itself after `withinMs`, or when the returned function is called. */
  open(what: string, withinMs: number, crashes?: 'crash-tolerated'): () => void
  /** What is expected at this moment, or `null`. */
  current(): string | null
  /** Whether the guest may crash at this moment: a reboot that was asked for is no leave to panic. */
  toleratesCrash(): boolean
}

/** The windows in which a module has said that it will lose the connection. */
export function expectedWindow(now: () => number = () => performance.now()): ExpectedWindow {
  let open: { what: string; until: number; crashes: boolean } | null = null
  const isOpen = (): boolean => open !== null && now() < open.until
  return {
    open: (what, withinMs, crashes) => {
      const mine = { what, until: now() + withinMs, crashes: crashes !== undefined }
      open = mine
      return () => {
        open = open === mine ? null : open
      }
    },
    current: () => (isOpen() ? (open?.what ?? null) : null),
    toleratesCrash: () => isOpen() && open?.crashes === true,
  }
}
