import type { Bytes } from '../files/bytes.js'

const classes: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  blank: ' \\t',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '\\x21-\\x7e',
  lower: 'a-z',
  print: '\\x20-\\x7e',
  punct: '\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e',
  space: ' \\t\\n\\r\\f\\v',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
}

/** Makes text match only itself in a pattern. */
export function quotePattern(text: Bytes): Bytes {
  return text.replace(/[\\*?[\]]/g, '\\$&')
}

/** Whether the text has a character that is special in a pattern. */
export function isPattern(text: Bytes): boolean {
  return /[*?[]/.test(text)
}

/** Takes the quoting of {@link quotePattern} away. */
export function unquotePattern(text: Bytes): Bytes {
  return text.replace(/\\(.)/gs, '$1')
}

function literal(char: string): string {
  return /[\\^$.*+?()[\]{}|/-]/.test(char) ? `\\${char}` : char
}

/** The source of a regular expression for a shell pattern (POSIX 2.13), greedy or not. */
export function patternSource(pattern: Bytes, lazy = false): string {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at)
    if (char === '*') source += lazy ? '[\\s\\S]*?' : '[\\s\\S]*'
    else if (char === '?') source += '[\\s\\S]'
    else if (char === '\\' && at + 1 < pattern.length) source += literal(pattern.charAt(++at))
    else if (char === '[') {
      const bracket = readBracket(pattern, at)
      source += bracket?.source ?? '\\['
      at = bracket?.end ?? at
    } else source += literal(char)
  }
  return source
}

/** Whether the whole text matches the shell pattern. */
export function matchesPattern(pattern: Bytes, text: Bytes): boolean {
  return new RegExp(`^(?:${patternSource(pattern)})$`).test(text)
}

function readBracket(pattern: Bytes, start: number): { source: string; end: number } | undefined {
  let at = start + 1
  let negated = false
  if (pattern[at] === '!' || pattern[at] === '^') {
    negated = true
    at++
  }
  let inside = ''
  for (let first = true; at < pattern.length; first = false) {
    const char = pattern.charAt(at)
    if (char === ']' && !first) return { source: `[${negated ? '^' : ''}${inside}]`, end: at }
    const named = /^\[:([a-z]+):\]/.exec(pattern.slice(at))
    if (named) {
      inside += classes[named[1] ?? ''] ?? ''
      at += named[0].length
      continue
    }
    const one = char === '\\' && at + 1 < pattern.length ? pattern.charAt(++at) : char
    at++
    const rangeEnd = pattern[at] === '-' && pattern[at + 1] !== ']' ? pattern[at + 1] : undefined
    if (rangeEnd !== undefined) {
      const last = rangeEnd === '\\' ? pattern.charAt(at + 2) : rangeEnd
      at += rangeEnd === '\\' ? 3 : 2
      if (one <= last) inside += `${inBracket(one)}-${inBracket(last)}`
    } else inside += inBracket(one)
  }
  return undefined
}

function inBracket(char: string): string {
  return /[\\\]^[-]/.test(char) ? `\\${char}` : char
}
