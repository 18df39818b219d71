import { bounds } from './document.js'

/** Output as whole lines, without their ends. */
interface Lines {
  readonly lines: readonly string[]
  /** True when the last line has no end: nothing may be concluded from it, and it is not in `lines`. */
  readonly cut: boolean
  /** What kept lines from being read. */
  readonly faults: readonly string[]
}

/**
 * Splits a script's output into whole lines. A lone carriage return ends a line too, so that what a terminal
 * would show as a line of its own is judged as one; the line separators of Unicode end none, and are made
 * visible, because they would stop the parser for good.
 */
export function splitLines(output: Buffer | string): Lines {
  const text = typeof output === 'string' ? output : output.toString('utf8')
  const faults: string[] = []
  const pieces = text.replace(/[\u2028\u2029]/g, '\ufffd').split(/\r?\n|\r(?!\n)/)
  const last = pieces.pop() ?? ''
  // A carriage return may be the first half of a line's end.
  const cut = last !== '' || text.endsWith('\r')
  if (pieces.length > bounds.lines) faults.push(`more than ${bounds.lines} lines`)
  const lines = pieces.slice(0, bounds.lines)
  if (lines.some(line => line.length > bounds.line)) {
    faults.push(`a line of more than ${bounds.line} characters`)
  }
  return { lines: lines.filter(line => line.length <= bounds.line), cut, faults }
}
