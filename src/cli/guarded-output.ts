import { safeForTerminal } from '../text/terminal.js'
import type { LiveWindow, OutputStream, Redaction } from './args.js'
import type { Screen } from './screen.js'

/** How a stream is guarded. */
export interface GuardOptions {
  readonly redactor: () => Redaction['redactor']
  readonly styles: boolean
  /** The terminal's, where the stream shows on one that has a window. */
  readonly screen?: Screen | null
  /** True for the stream that draws the window. */
  readonly hasWindow?: boolean
}

/**
 * A stream that shows no secret and no control character, whatever a command quotes. Styles pass where they are
 * wanted.
 */
export function guarded(
  stream: OutputStream,
  { redactor, styles, screen = null, hasWindow = false }: GuardOptions,
): OutputStream {
  const safe = (text: string): string => safeForTerminal(redactor().text(text), styles)
  const window: LiveWindow | null =
    screen === null || !hasWindow
      ? null
      : {
          open: draw => screen.open(size => draw(size).map(safe)),
          touch: () => screen.touch(),
          close: () => screen.close(),
        }
  return {
    write: text => (screen === null ? stream.write(safe(text)) : screen.write(stream, safe(text))),
    ...(window === null ? {} : { window }),
    get isTTY() {
      return stream.isTTY === true
    },
    get columns() {
      return stream.columns
    },
    get rows() {
      return stream.rows
    },
  }
}
