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
 * A line for a login shell of whatever kind that replaces it by `/bin/sh` running the script, which holds no line end,
 * with these arguments.
 */
export function shellLine(script: string, args: readonly string[]): string {
  const words = args.length === 0 ? '' : ` sh ${args.map(quote).join(' ')}`
  return `exec /bin/sh -c ${quote(script)}${words}`
}
