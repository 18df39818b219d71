import stringWidth from 'string-width'

/** A terminal as Node shows it. */
export interface Terminal {
  write(text: string): unknown
  readonly columns?: number | undefined
  readonly rows?: number | undefined
}

/** Draws the lines at the bottom, for a terminal of a size. */
export type Draw = (size: { readonly columns: number; readonly rows: number }) => readonly string[]

const mostRedrawsPerSec = 10
const tickMs = 1000
/** Synchronized output (DEC 2026): a terminal that knows it shows nothing half-drawn, others ignore it. */
const [begin, end] = ['\x1b[?2026h', '\x1b[?2026l']
const usual = { columns: 80, rows: 24 }
const open = new Set<Screen>()

/**
 * The bottom of a terminal, which is redrawn in place at most ten times a second, while everything else that is written
 * scrolls above it. Nothing of it stays when it is closed.
 */
export class Screen {
  readonly #terminal: Terminal
  #draw: Draw | null = null
  #drawn: readonly string[] = []
  #above: { readonly stream: Terminal; readonly text: string }[] = []
  #lastMs = Number.NEGATIVE_INFINITY
  #soon: NodeJS.Timeout | undefined
  #tick: NodeJS.Timeout | undefined

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /** Shows what `draw` draws: now, once a second, and after each {@link touch}. */
  open(draw: Draw): void {
    this.#draw = draw
    open.add(this)
    this.#tick ??= setInterval(() => this.touch(), tickMs)
    this.#tick.unref()
    this.touch()
  }

  /** What is drawn has changed. */
  touch(): void {
    if (this.#draw === null || this.#soon !== undefined) return
    const waitMs = Math.max(0, this.#lastMs + 1000 / mostRedrawsPerSec - performance.now())
    this.#soon = setTimeout(() => this.#flush(), waitMs)
    this.#soon.unref()
  }

  /** Writes a text to a stream that shows on this terminal: above the window, where there is one. */
  write(stream: Terminal, text: string): void {
    if (this.#draw === null) {
      stream.write(text)
      return
    }
    this.#above.push({ stream, text: text.endsWith('\n') || text === '' ? text : `${text}\n` })
    this.touch()
  }

  /** Removes the window; what was to be written above it is written. */
  close(): void {
    if (this.#draw === null) return
    clearInterval(this.#tick)
    this.#tick = undefined
    this.#draw = null
    open.delete(this)
    this.#flush()
  }

  #flush(): void {
    clearTimeout(this.#soon)
    this.#soon = undefined
    this.#lastMs = performance.now()
    const { columns = usual.columns, rows = usual.rows } = this.#terminal
    const lines = this.#draw?.({ columns, rows }) ?? []
    const above = this.#above.splice(0)
    const isSame =
      lines.length === this.#drawn.length && lines.every((line, index) => line === this.#drawn[index])
    if (above.length === 0 && isSame) return
    let pending = `${begin}${this.#erase(columns)}`
    for (const { stream, text } of above) {
      if (stream === this.#terminal) {
        pending += text
        continue
      }
      this.#terminal.write(pending)
      stream.write(text)
      pending = ''
    }
    this.#drawn = lines
    // The cursor rests on an empty line: terminals differ in whether they wrap its line anew when they are resized.
    this.#terminal.write(`${pending}${lines.map(line => `${line}\n`).join('')}${end}`)
  }

  /**
   * Clears the window line by line, back to where it begins: tmux keeps for its history what is cleared as a whole screen.
   * A terminal that became narrower has wrapped its lines.
   */
  #erase(columns: number): string {
    const rows = this.#drawn.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / columns)),
      0,
    )
    return `\r${'\x1b[A\x1b[2K'.repeat(rows)}`
  }
}

/** Removes every window that is open: before the process ends, or says that it cannot go on. */
export function closeScreens(): void {
  for (const screen of open) screen.close()
}
