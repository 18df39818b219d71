import { InternalError } from '../../config/errors.js'

/**
 * Quotes a word so that any shell reads it back unchanged: sh and its kin, csh, fish. Within single
 * quotes fish takes `\` and csh takes `!` for themselves, so those stand outside. Plain words are
 * left as they are. Throws InternalError for NUL, which no argument can hold.
 */
export function quote(word: string): string {
  if (word.includes('\0')) {
    throw new InternalError('a shell word cannot hold a NUL character')
  }
  if (/^[A-Za-z0-9_./:+-]+$/.test(word)) {
    return word
  }
  const pieces = word.split(/(['\\!])/).filter(piece => piece !== '')
  return pieces.length === 0
    ? "''"
    : pieces.map(piece => (/^['\\!]$/.test(piece) ? `\\${piece}` : `'${piece}'`)).join('')
}

/**
 * A line for a login shell of whatever kind that replaces it by `/bin/sh` running the script. A line
 * end inside quotes is an error to csh: a script of several lines travels as one word a line, and
 * `/bin/sh` joins them again. The first two of the three characters of a fresh IFS are blank and
 * tab, the third is the line feed.
 */
export function shellLine(script: string): string {
  if (!script.includes('\n')) {
    return `exec /bin/sh -c ${quote(script)}`
  }
  return `exec /bin/sh -c ${quote(joinLines)} sh ${script.split('\n').map(quote).join(' ')}`
}

/** Joins its arguments to a script and becomes a fresh shell that runs it. */
export const joinLines = `IFS=\${IFS#??};exec /bin/sh -c "$*"`
