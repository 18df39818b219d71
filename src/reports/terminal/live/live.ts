import { type Size, type WindowParts, windowLines } from './window.js'

/** A terminal's bottom, which can be redrawn in place. */
export interface BottomWindow {
  open(draw: (size: Size) => readonly string[]): void
  /** What is drawn has changed; it is redrawn soon, and not too often. */
  touch(): void
  close(): void
}

/** What is shown while a run goes on. */
export interface LiveOptions extends Omit<WindowParts, 'nowMs'> {
  readonly window: BottomWindow
  /** Wall clock, in ms since 1970. */
  readonly now: () => number
}

/** Shows at the bottom of a terminal what runs where, until the window is closed. */
export function openLive({ window, now, ...parts }: LiveOptions): void {
  window.open(size => windowLines({ ...parts, nowMs: now() }, size))
}
