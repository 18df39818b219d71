/**
 * A domain's configuration as xl reads it, xl.cfg(5): assignments of numbers, strings and lists. What it says of
 * mistakes was captured from xl of Xen 4.17.
 */
export type Setting = string | readonly Setting[]

/** A configuration that was read: the last setting of each name, and the line that it stands on. */
export interface XlConfig {
  readonly file: string
  readonly settings: ReadonlyMap<string, { readonly value: Setting; readonly line: number }>
  /** What is said beside, a line each. */
  readonly warnings: string[]
}

/** A configuration that cannot be read: what xl says of it, a line each. */
export class ConfigMistake extends Error {
  readonly lines: readonly string[]

  constructor(lines: readonly string[]) {
    super(lines.join('\n'))
    this.lines = lines
  }
}

type Kind = 'IDENT' | 'STRING' | 'NUMBER' | 'NEWLINE' | '=' | '+=' | ',' | ';' | '[' | ']' | '$end' | 'wrong'

interface Token {
  readonly kind: Kind
  readonly text: string
  readonly line: number
}

const pattern =
  /[ \t\r]+|#[^\n]*|(\n)|([A-Za-z_][\w.]*)|("[^"\n]*"|'[^'\n]*')|(0x[0-9a-fA-F]+|\d+)|(\+=|[=,;[\]])|(\S+)/y

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  let line = 1
  pattern.lastIndex = 0
  for (;;) {
    const match = pattern.exec(text)
    if (!match) break
    const [, newline, ident, string, number, mark, wrong] = match
    if (newline !== undefined) tokens.push({ kind: 'NEWLINE', text: '\n', line: line++ })
    else if (ident !== undefined) tokens.push({ kind: 'IDENT', text: ident, line })
    else if (string !== undefined) tokens.push({ kind: 'STRING', text: string, line })
    else if (number !== undefined) tokens.push({ kind: 'NUMBER', text: number, line })
    else if (mark !== undefined) tokens.push({ kind: mark as Kind, text: mark, line })
    else if (wrong !== undefined) tokens.push({ kind: 'wrong', text: wrong, line })
  }
  tokens.push({ kind: '$end', text: '', line: Math.max(1, line - 1) })
  return tokens
}

/** A token that does not belong where it stands; the rest of its line is passed over. */
class Unexpected extends Error {
  readonly token: Token
  readonly wanted: string

  constructor(token: Token, wanted: string) {
    super(wanted)
    this.token = token
    this.wanted = wanted
  }
}

/** Reads a configuration; `file` is what xl calls it. Throws ConfigMistake. */
export function readConfig(text: string, file: string): XlConfig {
  const reader = new Reader(tokensOf(text))
  const settings = new Map<string, { value: Setting; line: number }>()
  const mistakes: string[] = []
  let isPython = false
  while (!reader.isAtEnd) {
    try {
      const found = reader.statement()
      if (found) settings.set(found.name, { value: found.value, line: found.line })
    } catch (error) {
      if (!(error instanceof Unexpected)) throw error
      mistakes.push(`${file}:${messageOf(error)}`)
      isPython ||= error.token.kind === 'wrong' && !/^["']/.test(error.token.text)
      reader.skipLine()
    }
  }
  if (mistakes.length > 0) {
    throw new ConfigMistake([
      ...mistakes,
      ...(isPython
        ? [
            'warning: Config file looks like it contains Python code.',
            'warning:  Arbitrary Python is no longer supported.',
            'warning:  See https://wiki.xen.org/wiki/PythonInXlConfig',
          ]
        : []),
      'Failed to parse config: Invalid argument',
    ])
  }
  return { file, settings, warnings: [] }
}

function messageOf({ token, wanted }: Unexpected): string {
  const { kind, text, line } = token
  if (kind === 'wrong') return `${line}: config parsing error near \`${text}': lexical error`
  // A line's end is counted to the line before it.
  const place = kind === 'NEWLINE' ? line - 1 : line
  const near = kind === 'NEWLINE' ? '<newline>' : `\`${text}'`
  const name = /^\W/.test(kind) && kind !== '$end' ? `'${kind}'` : kind
  return `${place}: config parsing error near ${near}: syntax error, unexpected ${name}, expecting ${wanted}`
}

class Reader {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get isAtEnd(): boolean {
    return this.#peek().kind === '$end'
  }

  statement(): { name: string; value: Setting; line: number } | undefined {
    const first = this.#next()
    if (first.kind === 'NEWLINE' || first.kind === ';') return undefined
    if (first.kind !== 'IDENT') throw new Unexpected(first, '$end')
    const sign = this.#next()
    if (sign.kind !== '=' && sign.kind !== '+=') throw new Unexpected(sign, "+= or '='")
    const value = this.#value("STRING or NUMBER or '['")
    const end = this.#next()
    if (end.kind !== 'NEWLINE' && end.kind !== ';' && end.kind !== '$end') throw new Unexpected(end, '$end')
    if (end.kind === '$end') this.#at -= 1
    return { name: first.text, value, line: first.line }
  }

  /** Passes over what is left of the line that a mistake was found in. */
  skipLine(): void {
    if (this.#tokens[this.#at - 1]?.kind === 'NEWLINE') return
    while (!this.isAtEnd) if (this.#next().kind === 'NEWLINE') return
  }

  #value(wanted: string): Setting {
    const token = this.#next()
    if (token.kind === 'STRING') return token.text.slice(1, -1)
    if (token.kind === 'NUMBER') return token.text
    if (token.kind !== '[') throw new Unexpected(token, wanted)
    const list: Setting[] = []
    for (;;) {
      this.#skipNewlines()
      if (this.#peek().kind === ']') break
      list.push(this.#value("']'"))
      this.#skipNewlines()
      if (this.#peek().kind === ',') this.#next()
      else if (this.#peek().kind !== ']') throw new Unexpected(this.#next(), "']'")
    }
    this.#next()
    return list
  }

  #skipNewlines(): void {
    while (this.#peek().kind === 'NEWLINE') this.#at += 1
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#at, this.#tokens.length - 1)] ?? { kind: '$end', text: '', line: 1 }
  }

  #next(): Token {
    const token = this.#peek()
    if (token.kind !== '$end') this.#at += 1
    else this.#at = this.#tokens.length
    return token
  }
}

/** The text of a setting; a list in its place is warned of, and not taken. */
export function textOf(config: XlConfig, name: string): string | undefined {
  const found = config.settings.get(name)
  if (!found) return undefined
  if (typeof found.value === 'string') return found.value
  warn(config, found.line, name, 'is a list but should be a single value')
  return undefined
}

/** The number of a setting; what is none is warned of, and not taken. */
export function numberOf(config: XlConfig, name: string): number | undefined {
  const text = textOf(config, name)
  if (text === undefined) return undefined
  // As strtoul takes them: 0x is hexadecimal, a nought before is octal.
  if (/^(?:0x[0-9a-f]+|[1-9]\d*|0[0-7]*)$/i.test(text)) {
    return /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number(text)
  }
  warn(config, config.settings.get(name)?.line ?? 1, name, 'is not a valid number')
  return undefined
}

/** The texts of a list; a single value in its place is warned of, and not taken. */
export function listOf(config: XlConfig, name: string): string[] {
  const found = config.settings.get(name)
  if (!found) return []
  if (typeof found.value !== 'string') return found.value.filter(item => typeof item === 'string')
  warn(config, found.line, name, 'is a single value but should be a list')
  return []
}

function warn({ file, warnings }: XlConfig, line: number, name: string, what: string): void {
  warnings.push(`${file}:${line}: warning: parameter \`${name}' ${what}`)
}
