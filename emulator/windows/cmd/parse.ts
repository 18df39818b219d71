/** A redirection of one handle. */
export interface Redirection {
  readonly handle: number
  readonly kind: 'in' | 'out' | 'append' | 'duplicate'
  /** The file, or the number of the handle that is duplicated. */
  readonly target: string
}

/** A line of cmd, read. Texts are without carets; quotes are still there. */
export type Node =
  | { readonly kind: 'simple'; readonly text: string; readonly redirections: readonly Redirection[] }
  | { readonly kind: 'block'; readonly body: Node | undefined; readonly redirections: readonly Redirection[] }
  | { readonly kind: 'and' | 'or' | 'then' | 'pipe'; readonly left: Node; readonly right: Node }
  | {
      readonly kind: 'if'
      readonly condition: Condition
      readonly body: Node
      readonly otherwise: Node | undefined
    }
  | {
      readonly kind: 'for'
      readonly options: string
      readonly mode: string
      readonly variable: string
      readonly set: string
      readonly body: Node
    }

export interface Condition {
  readonly not: boolean
  readonly ignoreCase: boolean
  readonly operator: string
  readonly left: string
  readonly right: string
}

/** What cmd says of a line that it cannot read. */
export class SyntaxProblem extends Error {}

const delimiters = new Set([' ', '\t', ',', ';', '='])

/** Reads a line after `%` expansion. Throws SyntaxProblem. Undefined when there is nothing in it. */
export function parseLine(text: string): Node | undefined {
  const parser = new LineParser(text)
  const node = parser.sequence(0)
  return node
}

class LineParser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  sequence(depth: number): Node | undefined {
    let left: Node | undefined
    for (;;) {
      this.#skipBlank(depth > 0)
      if (this.#ended || (depth > 0 && this.#peek() === ')')) return left
      const right = this.#either(depth)
      left = left ? { kind: 'then', left, right } : right
      this.#skipBlank(false)
      if (this.#peek() === '&' && this.#text[this.#at + 1] !== '&') {
        this.#at++
        continue
      }
      if (this.#peek() === '\n') continue
      if (this.#ended || (depth > 0 && this.#peek() === ')')) return left
      throw new SyntaxProblem(`${this.#rest()} was unexpected at this time.`)
    }
  }

  #either(depth: number): Node {
    let left = this.#both(depth)
    while (this.#takeSign('||')) left = { kind: 'or', left, right: this.#both(depth) }
    return left
  }

  #both(depth: number): Node {
    let left = this.#piped(depth)
    while (this.#takeSign('&&')) left = { kind: 'and', left, right: this.#piped(depth) }
    return left
  }

  #piped(depth: number): Node {
    let left = this.#command(depth)
    for (;;) {
      this.#skipBlank(false)
      if (this.#peek() !== '|' || this.#text[this.#at + 1] === '|') return left
      this.#at++
      left = { kind: 'pipe', left, right: this.#command(depth) }
    }
  }

  #command(depth: number): Node {
    while (this.#peek() !== undefined && (delimiters.has(this.#peek() ?? '') || this.#peek() === '@'))
      this.#at++
    if (this.#peek() === '(') {
      this.#at++
      const body = this.sequence(depth + 1)
      if (this.#peek() !== ')') throw new SyntaxProblem('The syntax of the command is incorrect.')
      this.#at++
      return { kind: 'block', body, redirections: this.#redirections() }
    }
    if (this.#peek() === undefined || '&|)'.includes(this.#peek() ?? ''))
      throw new SyntaxProblem(`${this.#rest()} was unexpected at this time.`)
    const word = /^(?:if|for)(?=[ \t,;=/(])/i.exec(this.#text.slice(this.#at))?.[0]?.toLowerCase()
    if (word === 'if') return this.#if(depth)
    if (word === 'for') return this.#for(depth)
    if (/^rem(?=$|[ \t.])/i.test(this.#text.slice(this.#at))) {
      const end = this.#text.indexOf('\n', this.#at)
      this.#at = end < 0 ? this.#text.length : end
      return { kind: 'simple', text: 'rem', redirections: [] }
    }
    return this.#simple(depth)
  }

  #simple(depth: number): Node {
    const redirections: Redirection[] = []
    let text = ''
    let quoted = false
    for (; !this.#ended; this.#at++) {
      const character = this.#peek() ?? ''
      if (character === '\n') break
      if (quoted) {
        if (character === '"') quoted = false
        text += character
        continue
      }
      if (character === '"') {
        quoted = true
        text += character
      } else if (character === '^') {
        this.#at++
        if (this.#peek() !== undefined && this.#peek() !== '\n') text += this.#peek()
      } else if (character === '&' || character === '|' || (character === ')' && depth > 0)) break
      else if (character === '>' || character === '<') {
        const digit = /(?:^|[ \t,;=])(\d)$/.exec(text)
        if (digit) text = text.slice(0, -1)
        redirections.push(this.#redirection(digit ? Number(digit[1]) : undefined))
        this.#at--
      } else text += character
    }
    return { kind: 'simple', text, redirections }
  }

  #redirections(): Redirection[] {
    const found: Redirection[] = []
    for (;;) {
      this.#skipBlank(false)
      const match = /^(\d)?([<>])/.exec(this.#text.slice(this.#at))
      if (!match) return found
      if (match[1] !== undefined) this.#at++
      found.push(this.#redirection(match[1] === undefined ? undefined : Number(match[1])))
    }
  }

  #redirection(handle: number | undefined): Redirection {
    const input = this.#peek() === '<'
    this.#at++
    const append = !input && this.#peek() === '>'
    if (append) this.#at++
    if (this.#peek() === '&') {
      const number = this.#text[this.#at + 1] ?? ''
      this.#at += 2
      return { handle: handle ?? (input ? 0 : 1), kind: 'duplicate', target: number }
    }
    while (this.#peek() !== undefined && delimiters.has(this.#peek() ?? '')) this.#at++
    const target = this.#word()
    if (target === '') throw new SyntaxProblem('The syntax of the command is incorrect.')
    return { handle: handle ?? (input ? 0 : 1), kind: input ? 'in' : append ? 'append' : 'out', target }
  }

  /** One word, with its quotes, to the next delimiter. */
  #word(): string {
    let word = ''
    let quoted = false
    for (; !this.#ended; this.#at++) {
      const character = this.#peek() ?? ''
      if (character === '\n') break
      if (character === '"') quoted = !quoted
      else if (!quoted) {
        if (character === '^') {
          this.#at++
          word += this.#peek() ?? ''
          continue
        }
        if (delimiters.has(character) || '&|<>)'.includes(character)) break
      }
      word += character
    }
    return word
  }

  #if(depth: number): Node {
    this.#at += 2
    let ignoreCase = false
    let not = false
    let word = this.#next()
    if (word.toLowerCase() === '/i') {
      ignoreCase = true
      word = this.#next()
    }
    if (word.toLowerCase() === 'not') {
      not = true
      word = this.#next()
    }
    const condition = this.#condition(word, not, ignoreCase)
    const body = this.#command2(depth)
    this.#skipBlank(false)
    const otherwise = /^else(?=[ \t(])/i.test(this.#text.slice(this.#at)) && body.kind === 'block'
    if (otherwise) this.#at += 4
    return { kind: 'if', condition, body, otherwise: otherwise ? this.#command2(depth) : undefined }
  }

  /** The body of an IF or FOR reaches over pipes and conditions, but not over `&` of the line around it. */
  #command2(depth: number): Node {
    this.#skipBlank(false)
    if (this.#peek() === '(' || this.#peek() === '@') {
      while (this.#peek() === '@' || this.#peek() === ' ') this.#at++
      if (this.#peek() === '(') return this.#command(depth)
    }
    let left = this.#either(depth)
    for (;;) {
      this.#skipBlank(false)
      if (this.#peek() !== '&' || this.#text[this.#at + 1] === '&') return left
      this.#at++
      this.#skipBlank(false)
      if (this.#ended || this.#peek() === ')') return left
      left = { kind: 'then', left, right: this.#either(depth) }
    }
  }

  #condition(word: string, not: boolean, ignoreCase: boolean): Condition {
    const lower = word.toLowerCase()
    if (lower === 'exist' || lower === 'defined' || lower === 'errorlevel' || lower === 'cmdextversion')
      return { not, ignoreCase, operator: lower, left: this.#next(), right: '' }
    const equals = word.indexOf('==')
    if (equals >= 0) {
      const right = word.slice(equals + 2)
      return {
        not,
        ignoreCase,
        operator: '==',
        left: word.slice(0, equals),
        right: right === '' ? this.#next() : right,
      }
    }
    this.#skipBlank(false)
    if (this.#text.startsWith('==', this.#at)) {
      this.#at += 2
      return { not, ignoreCase, operator: '==', left: word, right: this.#next() }
    }
    const operator = this.#next().toUpperCase()
    if (!['EQU', 'NEQ', 'LSS', 'LEQ', 'GTR', 'GEQ'].includes(operator))
      throw new SyntaxProblem(`${operator} was unexpected at this time.`)
    return { not, ignoreCase, operator, left: word, right: this.#next() }
  }

  /** The next word of an IF: `=` belongs to it where it is part of `==`. */
  #next(): string {
    this.#skipBlank(false)
    let word = ''
    let quoted = false
    for (; !this.#ended; this.#at++) {
      const character = this.#peek() ?? ''
      if (character === '"') quoted = !quoted
      else if (!quoted) {
        if (character === '^') {
          this.#at++
          word += this.#peek() ?? ''
          continue
        }
        if (' \t,;&|<>\n'.includes(character)) break
        if (character === '=' && this.#text[this.#at + 1] !== '=' && this.#text[this.#at - 1] !== '=') break
        if (character === '(' && word !== '') break
      }
      word += character
    }
    return word
  }

  #for(depth: number): Node {
    this.#at += 3
    const match = /^\s*(\/[dlrf])?\s*("[^"]*"|[^\s%"]+(?=\s+%))?\s*%{1,2}(.)\s+in\s*\(/i.exec(
      this.#text.slice(this.#at),
    )
    if (!match) throw new SyntaxProblem('The syntax of the command is incorrect.')
    this.#at += match[0].length
    let set = ''
    let quoted = false
    for (; !this.#ended; this.#at++) {
      const character = this.#peek() ?? ''
      if (character === '"') quoted = !quoted
      if (!quoted && character === ')') break
      if (!quoted && character === '^') {
        this.#at++
        set += this.#peek() ?? ''
        continue
      }
      set += character
    }
    this.#at++
    const does = /^\s*do(?=[\s(@])/i.exec(this.#text.slice(this.#at))
    if (!does) throw new SyntaxProblem('The syntax of the command is incorrect.')
    this.#at += does[0].length
    return {
      kind: 'for',
      mode: (match[1] ?? '').toLowerCase(),
      options: (match[2] ?? '').replace(/^"|"$/g, ''),
      variable: match[3] ?? '',
      set,
      body: this.#command2(depth),
    }
  }

  #takeSign(sign: string): boolean {
    this.#skipBlank(false)
    if (!this.#text.startsWith(sign, this.#at)) return false
    this.#at += sign.length
    return true
  }

  #skipBlank(lines: boolean): void {
    while (
      this.#peek() === ' ' ||
      this.#peek() === '\t' ||
      this.#peek() === '\r' ||
      (lines && (this.#peek() === '\n' || this.#peek() === '&'))
    )
      this.#at++
  }

  #peek(): string | undefined {
    return this.#text[this.#at]
  }

  get #ended(): boolean {
    return this.#at >= this.#text.length
  }

  #rest(): string {
    return /^(?:&&|\|\||.\S*)/.exec(this.#text.slice(this.#at))?.[0] ?? ''
  }
}
