import { safeForTerminal } from '../text/terminal.js'
import type { OutputStream, Redaction } from './args.js'

/**
 * A stream that shows no secret and no control character, whatever a command quotes. Styles pass where they are
 * wanted.
 */
export function guarded(
  stream: OutputStream,
  { redactor, styles }: { readonly redactor: () => Redaction['redactor']; readonly styles: boolean },
): OutputStream {
  return {
    write: text => stream.write(safeForTerminal(redactor().text(text), styles)),
    get isTTY() {
      return stream.isTTY === true
    },
    get columns() {
      return stream.columns
    },
  }
}
