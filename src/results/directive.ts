/** What a directive makes of a test point, and the text behind it. */
export interface Directive {
  readonly kind: 'todo' | 'skip'
  readonly reason: string
}

/**
 * TODO and SKIP as TAP 13 and 14 have them: in any case; `Skipped` stands in the specification's own examples. The
 * word must end there: white space, the end, `:`, `(` or `[`, or other punctuation before white space. The
 * specification would take any text that begins so, but then `# todoist.com does not answer` forgives a failure.
 */
const tapWords =
  /^\s*(todo|skip(?:ped)?)(?:(?=[:([])|(?=[^\p{L}\p{N}_\s]*(?:\s|$)))[^\p{L}\p{N}_\s([]*\s*(.*)$/isu
/** KTAP has XFAIL besides (`Documentation/dev-tools/ktap.rst`). */
const ktapWords =
  /^\s*(todo|xfail|skip(?:ped)?)(?:(?=[:([])|(?=[^\p{L}\p{N}_\s]*(?:\s|$)))[^\p{L}\p{N}_\s([]*\s*(.*)$/isu
/** What runners say of durations; the parser knows it. */
const timing = /^\s*(?:time=|duration_ms )/i

/** Reads what follows a `#`; `null` when it is text and no directive. */
export function readDirective(text: string, dialect: 'tap' | 'ktap'): Directive | null {
  const [, word, reason = ''] = (dialect === 'tap' ? tapWords : ktapWords).exec(text) ?? []
  if (word === undefined) {
    return null
  }
  return { kind: word.toLowerCase().startsWith('skip') ? 'skip' : 'todo', reason: reason.trim() }
}

/**
 * Where the first `#` stands that may begin a directive, or -1: not escaped, and at the start, after white space, or
 * after an escaped backslash as in the specification's example.
 */
export function findDelimiter(text: string): number {
  let isFree = true
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? ''
    if (character === '#' && isFree) {
      return at
    }
    const isPair = character === '\\' && /[\\#]/.test(text[at + 1] ?? '')
    isFree = isPair ? text[at + 1] === '\\' : /\s/.test(character)
    at += isPair ? 1 : 0
  }
  return -1
}

/**
 * A line of TAP in which every `#` that begins no directive is escaped, so that a parser that is more generous than
 * we takes none for one.
 */
export function escapeText(line: string): string {
  const [start, rest = ''] = /^(\s*(?:not )?ok\b(?:\s+\d+(?=\s|$|#))?)(.*)$/s.exec(line)?.slice(1) ?? []
  if (start === undefined) {
    return line
  }
  const at = findDelimiter(rest)
  const after = rest.slice(at + 1)
  if (at === -1 || timing.test(after) || readDirective(after, 'tap') !== null) {
    return line
  }
  return `${start}${rest.slice(0, at)}${escapeHashes(rest.slice(at))}`
}

function escapeHashes(text: string): string {
  const at = findDelimiter(text)
  return at === -1 ? text : `${text.slice(0, at)}\\#${escapeHashes(` ${text.slice(at + 1)}`).slice(1)}`
}
