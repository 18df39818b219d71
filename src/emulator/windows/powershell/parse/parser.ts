import type { Argument, Block, Element, Expression, Parameter, Statement, StreamRedirection } from './ast.js'
import { ExpressionParser, numberOf } from './expressions.js'
import { isDoubleQuote, isSingleQuote } from './strings.js'

/** Reads a script. Throws ParseProblem. */
export function parseScript(text: string): Block {
  return new Parser(text).block('')
}

class Parser extends ExpressionParser {
  block(end: string): Block {
    const from = this.at
    const parameters = this.#parameters()
    const sections = { begin: [] as Statement[], process: [] as Statement[], end: [] as Statement[] }
    let named = false
    for (;;) {
      this.skipEnds()
      const section = this.take(/(?:begin|process|end)(?=\s*\{)/i)?.toLowerCase()
      if (section === undefined) break
      named = true
      this.need('{')
      sections[section as 'begin'].push(...this.statements('}'))
    }
    const body = named ? [] : this.statements(end)
    if (named) {
      this.skipEnds()
      if (end !== '') this.need(end)
    }
    const source = this.text.slice(from, end === '' ? this.at : this.at - end.length)
    return {
      source,
      parameters,
      begin: sections.begin,
      body: named ? sections.process : body,
      end: sections.end,
    }
  }

  protected statements(end: string): Statement[] {
    const found: Statement[] = []
    for (;;) {
      this.skipEnds()
      if (end !== '' && this.startsWith(end)) {
        this.at += end.length
        return found
      }
      if (this.ended) {
        if (end === '') return found
        throw this.problem(
          end === '}'
            ? "Missing closing '}' in statement block or type definition."
            : `Missing closing '${end}' in expression.`,
          end === '}' ? 'MissingEndCurlyBrace' : 'MissingEndParenthesisInExpression',
        )
      }
      found.push(this.statement())
      this.skip()
      if (!this.ended && !this.match(/[;\r\n)}]/)) throw this.unexpected()
      if (end === '' && this.match(/[)}]/)) throw this.unexpected()
    }
  }

  protected nested(text: string): { readonly body: readonly Statement[]; readonly length: number } {
    const inner = new Parser(text)
    const body = inner.statements(')')
    return { body, length: inner.at }
  }

  protected statement(): Statement {
    const word = this.match(
      /(?:if|while|do|for|foreach|switch|try|throw|return|exit|break|continue|function|filter)(?![\w-])/i,
    )?.[0]?.toLowerCase()
    if (word === undefined) return this.#pipelineOrAssignment()
    this.at += word.length
    switch (word) {
      case 'if':
        return this.#if()
      case 'while': {
        const test = this.#test()
        return { kind: 'while', test, body: this.#body() }
      }
      case 'do': {
        const body = this.#body()
        this.skip(true)
        const until = this.take(/while|until/i)?.toLowerCase() === 'until'
        return { kind: 'do', body, until, test: this.#test() }
      }
      case 'for':
        return this.#for()
      case 'foreach':
        return this.#foreach()
      case 'switch':
        return this.#switch()
      case 'try':
        return this.#try()
      case 'break':
      case 'continue':
        return { kind: word }
      case 'function':
      case 'filter':
        return this.#function()
      default: {
        this.skip()
        const bare = this.ended || this.match(/[;\r\n)}|]/) !== undefined
        return { kind: 'leave', how: word as 'throw', value: bare ? undefined : this.statement() }
      }
    }
  }

  #test(): Statement {
    this.need('(')
    this.skip(true)
    const test = this.statement()
    this.need(')')
    return test
  }

  #body(): Statement[] {
    this.need('{')
    return this.statements('}')
  }

  #if(): Statement {
    const branches = [{ test: this.#test(), body: this.#body() }]
    for (;;) {
      const before = this.at
      this.skip(true)
      if (this.take(/elseif(?![\w-])/i) !== undefined)
        branches.push({ test: this.#test(), body: this.#body() })
      else if (this.take(/else(?![\w-])/i) !== undefined)
        return { kind: 'if', branches, otherwise: this.#body() }
      else {
        this.at = before
        return { kind: 'if', branches, otherwise: undefined }
      }
    }
  }

  #for(): Statement {
    this.need('(')
    const part = (end: RegExp): Statement | undefined => {
      this.skip(true)
      const statement = this.match(end) ? undefined : this.statement()
      this.skip(true)
      return statement
    }
    const start = part(/[;)]/)
    this.take(/;/)
    const test = part(/[;)]/)
    this.take(/;/)
    const step = part(/\)/)
    this.need(')')
    return { kind: 'for', start, test, step, body: this.#body() }
  }

  #foreach(): Statement {
    this.need('(')
    this.skip(true)
    const variable = this.expression()
    this.skip(true)
    if (this.take(/in(?![\w-])/i) === undefined)
      throw this.problem("Missing 'in' after variable in foreach loop.", 'MissingInInForeach')
    this.skip(true)
    const over = this.statement()
    this.need(')')
    return { kind: 'foreach', variable, over, body: this.#body() }
  }

  #switch(): Statement {
    this.skip()
    const mode = (this.take(/-(?:regex|wildcard|exact|casesensitive)/i) ?? '').toLowerCase()
    const value = this.#test()
    this.need('{')
    const cases: { test: Expression | 'default'; body: Statement[] }[] = []
    for (;;) {
      this.skipEnds()
      if (this.take(/\}/) !== undefined) return { kind: 'switch', mode, value, cases }
      const isDefault = this.take(/default(?=\s*\{)/i) !== undefined
      const word = isDefault ? undefined : this.take(/[A-Za-z_][\w.-]*(?=\s*\{)/)
      const test = isDefault
        ? 'default'
        : word === undefined
          ? this.expression()
          : { kind: 'literal' as const, value: word }
      cases.push({ test, body: this.#body() })
    }
  }

  #try(): Statement {
    const body = this.#body()
    const catches: { types: string[]; body: Statement[] }[] = []
    let last: Statement[] | undefined
    for (;;) {
      const before = this.at
      this.skip(true)
      if (this.take(/catch(?![\w-])/i) !== undefined) {
        const types: string[] = []
        for (;;) {
          this.skip(true)
          const type = this.take(/\[[\w.]+\]/)
          if (type === undefined) break
          types.push(type.slice(1, -1))
          this.skip(true)
          this.take(/,/)
        }
        catches.push({ types, body: this.#body() })
      } else if (this.take(/finally(?![\w-])/i) !== undefined) last = this.#body()
      else {
        this.at = before
        if (catches.length === 0 && !last)
          throw this.problem(
            'The Try statement is missing its Catch or Finally block.',
            'MissingCatchOrFinally',
          )
        return { kind: 'try', body, catches, last }
      }
    }
  }

  #function(): Statement {
    this.skip()
    const name = this.take(/(?:global:|script:)?[\w-]+/i) ?? ''
    this.skip(true)
    const inline = this.peek() === '(' ? this.#parameterList() : []
    this.need('{')
    const block = this.block('}')
    return {
      kind: 'function',
      name: name.replace(/^(?:global|script):/i, ''),
      block: inline.length > 0 ? { ...block, parameters: inline } : block,
    }
  }

  #parameters(): Parameter[] {
    const before = this.at
    this.skipEnds()
    while (this.take(/\[CmdletBinding\([^)]*\)\]/i) !== undefined) this.skipEnds()
    if (this.take(/param(?=\s*\()/i) === undefined) {
      this.at = before
      return []
    }
    this.skip(true)
    return this.#parameterList()
  }

  #parameterList(): Parameter[] {
    const found: Parameter[] = []
    this.need('(')
    for (;;) {
      this.skip(true)
      if (this.take(/\)/) !== undefined) return found
      let type: string | undefined
      for (;;) {
        const attribute = this.take(/\[[A-Za-z_][^\]]*(?:\[\])?\]/)
        if (attribute === undefined) break
        if (!attribute.includes('(')) type = attribute.slice(1, -1)
        this.skip(true)
      }
      const name = this.take(/\$\w+/)
      if (name === undefined) throw this.unexpected()
      this.skip(true)
      let value: Expression | undefined
      if (this.peek() === '=') {
        this.at++
        this.skip(true)
        value = this.#singleArgument()
      }
      found.push({ name: name.slice(1), type, value })
      this.skip(true)
      this.take(/,/)
    }
  }

  #pipelineOrAssignment(): Statement {
    if (!this.#expressionStarts()) return this.#pipeline([this.#command()])
    const left = this.expression()
    this.skip()
    const sign = this.take(/[-+*/%]?=(?!=)/)
    if (sign !== undefined) {
      this.skip(true)
      return { kind: 'assign', target: left, operator: sign, value: this.statement() }
    }
    return this.#pipeline([{ kind: 'expression', expression: left }])
  }

  #pipeline(elements: Element[]): Statement {
    for (;;) {
      this.skip()
      if (this.peek() !== '|' || this.peek(1) === '|') return { kind: 'pipeline', elements }
      this.at++
      this.skip(true)
      elements.push(this.#command())
    }
  }

  #expressionStarts(): boolean {
    const character = this.peek()
    if (this.match(/\.\d/) || this.match(/[-+]?\d[\w.]*(?=[\s;|)}\],.*/%+-]|$)/)) return true
    return (
      '$@([{,!'.includes(character) ||
      isSingleQuote(character) ||
      isDoubleQuote(character) ||
      this.match(/-(?:not|bnot|join|split)\b|\+\+|--|[-+](?=[$(])/i) !== undefined
    )
  }

  #command(): Element {
    let operator: '&' | '.' | undefined
    if (this.match(/&(?!&)|\.(?=\s)/)) {
      operator = this.peek() as '&' | '.'
      this.at++
      this.skip()
    }
    const name = operator || !this.#expressionStarts() ? this.#word(true) : this.expression()
    if (!operator && this.#isExpression(name)) return { kind: 'expression', expression: name }
    const args: Argument[] = []
    const redirections: StreamRedirection[] = []
    for (;;) {
      this.skip()
      if (this.ended || this.match(/[;|\r\n)}]|&&/)) break
      const merge = this.match(/([2-6*])>&1/)
      if (merge) {
        this.at += merge[0].length
        redirections.push({ stream: merge[1] ?? '2', append: false, target: undefined })
        continue
      }
      const redirection = this.match(/([1-6*]?)(>>?)/)
      if (redirection) {
        this.at += redirection[0].length
        this.skip()
        redirections.push({
          stream: redirection[1] || '1',
          append: redirection[2] === '>>',
          target: this.#word(false),
        })
        continue
      }
      args.push(this.#argument())
    }
    return { kind: 'command', operator, name, args, redirections }
  }

  #isExpression(name: Expression): boolean {
    return name.kind !== 'literal' || typeof name.value !== 'string'
  }

  #argument(): Argument {
    const parameter = this.match(/-([A-Za-z_?][\w]*)(:)?/)
    if (parameter) {
      this.at += parameter[0].length
      if (parameter[2] === undefined) return { name: parameter[1] ?? '', value: undefined }
      this.skip()
      return { name: parameter[1] ?? '', value: this.#listArgument() }
    }
    return { name: undefined, value: this.#listArgument() }
  }

  #listArgument(): Expression {
    const first = this.#singleArgument()
    const items = [first]
    for (;;) {
      this.skip()
      if (this.peek() !== ',') return items.length === 1 ? first : { kind: 'list', items }
      this.at++
      this.skip(true)
      items.push(this.#singleArgument())
    }
  }

  #singleArgument(): Expression {
    const character = this.peek()
    if (
      isSingleQuote(character) ||
      isDoubleQuote(character) ||
      '${(@'.includes(character) ||
      this.match(/\[[A-Za-z][\w.]*\]::/)
    ) {
      const before = this.at
      const value = this.#argumentPrimary()
      if (!this.match(/[\w\\/:-]/)) return value
      this.at = before
    }
    return this.#word(false)
  }

  #argumentPrimary(): Expression {
    // Reading from here as an expression would take operators with it; a primary and its members are wanted.
    const rest = new Parser(this.text)
    rest.at = this.at
    const value = rest.primaryWithMembers()
    this.at = rest.at
    return value
  }

  primaryWithMembers(): Expression {
    return this.unaryOnly()
  }

  /** A bare word of a command line, with variables put in. */
  #word(isName: boolean): Expression {
    const character = this.peek()
    if (isName && (isSingleQuote(character) || isDoubleQuote(character) || '${('.includes(character)))
      return this.#argumentPrimary()
    let raw = ''
    while (!this.ended) {
      const now = this.peek()
      if (now === '`') {
        raw += `\`${this.peek(1)}`
        this.at += 2
        continue
      }
      if (isDoubleQuote(now) && raw !== '') {
        const end = this.match(/"((?:[^"`]|`.|"")*)"/)
        if (!end) break
        raw += end[1] ?? ''
        this.at += end[0].length
        continue
      }
      if (now === '$' && this.peek(1) === '(') {
        const inner = this.nested(this.text.slice(this.at + 2))
        raw += this.text.slice(this.at, this.at + 2 + inner.length)
        this.at += 2 + inner.length
        continue
      }
      if (/[\s;|(){},]/.test(now) || (now === '&' && !isName)) break
      raw += now
      this.at++
    }
    if (raw === '') throw this.unexpected()
    if (!isName && /^[-+]?(?:0x[0-9a-f]+|\d+(?:\.\d+)?)(?:[kmgt]b|l)?$/i.test(raw))
      return { kind: 'literal', value: numberOf(raw) }
    return this.expandable(raw)
  }
}
