/**
 * Three languages have to be told what is text: cmd, which reads a line first for `%`, then for quotes, carets and
 * operators; the C runtime of the program, which splits what cmd leaves; PowerShell.
 */
import { InternalError } from '../../../config/errors.js'

const special = /[()%!^"<>&|]/
const plainWord = /^[A-Za-z0-9_.:\\/=+,@~-]+$/

/**
 * Text that cmd reads as itself, outside of quotes. A caret stands before every special character, so that no quote
 * begins; behind a `%` it makes the name of a variable another one, as `%` itself cannot be escaped on a command line.
 * Throws InternalError for line ends and NUL, which no line can hold.
 */
export function escapeForCmd(text: string): string {
  refuseLines(text)
  let escaped = ''
  let isAfterPercent = false
  for (const char of text) {
    const isSpecial = special.test(char) && char !== '%'
    escaped += isSpecial || (isAfterPercent && char !== '%') ? `^${char}` : isAfterPercent ? '^%' : char
    isAfterPercent = char === '%'
  }
  return escaped
}

/**
 * One argument of a program, for a line of cmd. Quotes where they are enough; carets before everything where they
 * are not, for within quotes `%` cannot be kept from being read.
 */
export function quoteForCmd(word: string): string {
  refuseLines(word)
  if (plainWord.test(word)) {
    return word
  }
  const quoted = quoteForRuntime(word)
  return /["%!^]/.test(word) ? escapeForCmd(quoted) : quoted
}

/**
 * As the C runtime splits arguments: backslashes count only before a quote, where each stands twice
 * (https://learn.microsoft.com/en-us/cpp/c-language/parsing-c-command-line-arguments).
 */
function quoteForRuntime(word: string): string {
  const inner = word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')
  return `"${inner}"`
}

/** A text literal of PowerShell. It takes typographic quotes for quotes (about_Quoting_Rules). */
export function quoteForPowerShell(text: string): string {
  return `'${text.replace(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`
}

function refuseLines(text: string): void {
  if (/[\r\n\0]/.test(text)) {
    throw new InternalError('a line of cmd cannot hold a line end or a NUL character')
  }
}
