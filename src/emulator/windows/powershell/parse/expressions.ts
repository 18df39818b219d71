import type { Block, Expression, Statement } from './ast.js'
import { Cursor } from './cursor.js'
import { isDoubleQuote, isSingleQuote, unescaped } from './strings.js'

/** Binary operators from the loosest to the tightest. See about_Operator_Precedence. */
const levels: readonly RegExp[] = [
  /-(?:and|or|xor)\b/i,
  /-(?:band|bor|bxor)\b/i,
  /-(?:[ci]?(?:eq|ne|gt|ge|lt|le|like|notlike|match|notmatch|contains|notcontains|in|notin|replace|split)|join|isnot|is|as|shl|shr)\b/i,
  /[-+](?![-+])/,
  /[*/%]/,
  /-f\b/i,
  /\.\.(?!\.)/,
]

/** Reads expressions. Statements inside them are read by who extends this. */
export abstract class ExpressionParser extends Cursor {
  protected abstract statements(end: string): Statement[]
  protected abstract statement(): Statement
  abstract block(end: string): Block

  expression(): Expression {
    return this.#binary(0)
  }

  #binary(level: number): Expression {
    const pattern = levels[level]
    if (!pattern) return this.#list()
    let left = this.#binary(level + 1)
    for (;;) {
      this.skip()
      const sign = this.match(pattern)?.[0]
      if (
        sign === undefined ||
        (level === 3 && /[-+]/.test(sign) && this.match(/[-+][A-Za-z]/) && !this.match(/[-+][\w]*\(/))
      )
        return left
      if (/^[+\-*/%]$/.test(sign) && this.peek(1) === '=') return left
      this.at += sign.length
      this.skip(true)
      left = { kind: 'binary', operator: sign.toLowerCase(), left, right: this.#binary(level + 1) }
    }
  }

  /** Commas bind tighter than every operator but the unary ones. */
  #list(): Expression {
    if (this.peek() === ',') {
      this.at++
      this.skip(true)
      return { kind: 'list', items: [this.#unary()] }
    }
    const first = this.#unary()
    const items = [first]
    for (;;) {
      this.skip()
      if (this.peek() !== ',') break
      this.at++
      this.skip(true)
      items.push(this.#unary())
    }
    return items.length === 1 ? first : { kind: 'list', items }
  }

  #unary(): Expression {
    const word = this.take(/-(?:not|bnot|join|split|isplit|csplit)\b|!/i)
    if (word !== undefined) {
      this.skip(true)
      return {
        kind: 'unary',
        operator: word.toLowerCase(),
        operand: /join|split/i.test(word) ? this.#list() : this.#unary(),
      }
    }
    if (this.startsWith('++') || this.startsWith('--')) {
      const operator = this.startsWith('++') ? '++' : '--'
      this.at += 2
      return { kind: 'step', operator, prefix: true, operand: this.#unary() }
    }
    if (this.match(/[-+](?=[\d.$(@[])/) && !this.match(/[-+]?\d/)) {
      const operator = this.take(/[-+]/) ?? '-'
      this.skip()
      return { kind: 'unary', operator, operand: this.#unary() }
    }
    const type = this.match(/\[([A-Za-z_][\w.,+`]*(?:\[[^[\]]*\])*(?:\[\])*)\](?!\s*::|\.)/)
    if (type) {
      const before = this.at
      this.at += type[0].length
      this.skip()
      if (
        this.match(/[$@"'([{\d\-+!\u201c\u2018A-Za-z]/) &&
        !this.match(/-[a-z]+\b/i) &&
        this.#operandFollows()
      ) {
        return { kind: 'cast', type: type[1] ?? '', operand: this.#unary() }
      }
      this.at = before
    }
    return this.postfix(this.#primary())
  }

  /** One operand with its members, and no operators after it. */
  protected unaryOnly(): Expression {
    return this.#unary()
  }

  #operandFollows(): boolean {
    return this.match(/[$@"'([{\d!\u201c\u2018]|[-+]\d/) !== undefined
  }

  /** Members, calls, indexes and `++`, which stand right after what they belong to. */
  protected postfix(start: Expression): Expression {
    let target = start
    for (;;) {
      const isStatic = this.startsWith('::')
      if (isStatic || (this.peek() === '.' && this.peek(1) !== '.' && !/\s/.test(this.peek(1)))) {
        this.at += isStatic ? 2 : 1
        const name = this.#memberName()
        if (this.peek() === '(') {
          this.at++
          target = { kind: 'call', target, name, isStatic, args: this.#arguments() }
        } else target = { kind: 'member', target, name, isStatic }
      } else if (this.peek() === '[') {
        this.at++
        this.skip(true)
        const index = this.expression()
        this.need(']')
        target = { kind: 'index', target, index }
      } else if (
        (this.startsWith('++') || this.startsWith('--')) &&
        (target.kind === 'variable' || target.kind === 'member' || target.kind === 'index')
      ) {
        const operator = this.startsWith('++') ? '++' : '--'
        this.at += 2
        return { kind: 'step', operator, prefix: false, operand: target }
      } else return target
    }
  }

  #memberName(): Expression {
    const word = this.take(/[A-Za-z_]\w*/)
    return word === undefined ? this.#primary() : { kind: 'literal', value: word }
  }

  #arguments(): Expression[] {
    const found: Expression[] = []
    for (;;) {
      this.skip(true)
      if (this.peek() === ')') {
        this.at++
        return found
      }
      found.push(this.#argument())
      this.skip(true)
      if (this.peek() === ',') this.at++
    }
  }

  /** An argument of a method: its commas separate, so that lists need parentheses. */
  #argument(): Expression {
    return this.#binaryWithoutList(0)
  }

  #binaryWithoutList(level: number): Expression {
    const pattern = levels[level]
    if (!pattern) return this.#unary()
    let left = this.#binaryWithoutList(level + 1)
    for (;;) {
      this.skip(true)
      const sign = this.match(pattern)?.[0]
      if (sign === undefined) return left
      this.at += sign.length
      this.skip(true)
      left = { kind: 'binary', operator: sign.toLowerCase(), left, right: this.#binaryWithoutList(level + 1) }
    }
  }

  #primary(): Expression {
    const character = this.peek()
    if (character === '$') return this.#dollar()
    if (isSingleQuote(character)) return { kind: 'literal', value: this.#verbatim() }
    if (isDoubleQuote(character)) return this.#expandable()
    if (character === '(') {
      this.at++
      this.skip(true)
      const statement = this.statement()
      this.need(')')
      return { kind: 'group', statement }
    }
    if (character === '@') return this.#at()
    if (character === '{') {
      this.at++
      return { kind: 'block', block: this.block('}') }
    }
    if (character === '[') {
      const type = this.take(/\[[A-Za-z_][\w.,+`\s]*(?:\[[^[\]]*\])*(?:\[\])*\]/)
      if (type !== undefined) return { kind: 'type', name: type.slice(1, -1) }
    }
    const number = this.take(
      /[-+]?(?:0x[0-9a-f]+|(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:e[-+]?\d+)?)[dl]?(?:[kmgtp]b)?(?![A-Za-z_])/i,
    )
    if (number !== undefined) return { kind: 'literal', value: numberOf(number) }
    throw this.unexpected()
  }

  #dollar(): Expression {
    if (this.peek(1) === '(') {
      this.at += 2
      return { kind: 'statements', body: this.statements(')') }
    }
    const braced = this.take(/\$\{[^}]*\}/)
    if (braced !== undefined) return variable(braced.slice(2, -1))
    const name = this.take(/\$(?:[A-Za-z_][\w]*:(?!:))?[A-Za-z_]\w*|\$[\d]+|\$[?^$_]/)
    if (name === undefined) throw this.unexpected()
    return variable(name.slice(1))
  }

  #at(): Expression {
    if (this.peek(1) === '(') {
      this.at += 2
      return { kind: 'array', body: this.statements(')') }
    }
    if (this.peek(1) === '{') {
      this.at += 2
      return this.#hash()
    }
    const here = this.take(/@(["'\u201c\u2018])[ \t]*\r?\n/)
    if (here !== undefined) return this.#hereString(here.includes("'") || here.includes('\u2018'))
    const splat = this.take(/@[A-Za-z_]\w*/)
    if (splat !== undefined) return { kind: 'variable', scope: '@', name: splat.slice(1) }
    throw this.unexpected()
  }

  #hereString(verbatim: boolean): Expression {
    const end = this.match(verbatim ? /([\s\S]*?)\r?\n['\u2019]@/ : /([\s\S]*?)\r?\n["\u201d]@/)
    if (!end) throw this.problem('The string is missing the terminator.', 'TerminatorExpectedAtEndOfString')
    this.at += end[0].length
    return verbatim ? { kind: 'literal', value: end[1] ?? '' } : this.#parts(end[1] ?? '')
  }

  #hash(): Expression {
    const pairs: (readonly [Expression, Statement])[] = []
    for (;;) {
      this.skipEnds()
      if (this.peek() === '}') {
        this.at++
        return { kind: 'hash', pairs }
      }
      const word = this.take(/[A-Za-z_][\w]*(?=\s*=)/)
      const key: Expression = word === undefined ? this.#unary() : { kind: 'literal', value: word }
      this.need('=')
      this.skip(true)
      pairs.push([key, this.statement()])
    }
  }

  #verbatim(): string {
    let value = ''
    this.at++
    for (; !this.ended; this.at++) {
      if (isSingleQuote(this.peek())) {
        if (!isSingleQuote(this.peek(1))) {
          this.at++
          return value
        }
        this.at++
      }
      value += this.peek()
    }
    throw this.problem("The string is missing the terminator: '.", 'TerminatorExpectedAtEndOfString')
  }

  #expandable(): Expression {
    this.at++
    let inner = ''
    let depth = 0
    for (; !this.ended; this.at++) {
      const character = this.peek()
      if (character === '`') {
        inner += character + this.peek(1)
        this.at++
        continue
      }
      if (character === '$' && this.peek(1) === '(') depth++
      else if (depth > 0 && character === '(' && this.text[this.at - 1] !== '$') depth++
      else if (depth > 0 && character === ')') depth--
      if (depth === 0 && isDoubleQuote(character)) {
        if (!isDoubleQuote(this.peek(1))) {
          this.at++
          return this.#parts(inner)
        }
        this.at++
        inner += '`"'
        continue
      }
      inner += character
    }
    throw this.problem('The string is missing the terminator: ".', 'TerminatorExpectedAtEndOfString')
  }

  /** The parts of a text in which variables and `$(…)` are put in. */
  #parts(inner: string): Expression {
    return this.expandable(inner)
  }

  /** Reads a text with variables in it. */
  expandable(inner: string): Expression {
    const parts: (string | Expression)[] = []
    let plain = ''
    const flush = (): void => {
      if (plain !== '') parts.push(plain)
      plain = ''
    }
    for (let at = 0; at < inner.length; at++) {
      const character = inner[at] ?? ''
      const rest = inner.slice(at)
      if (character === '`') {
        plain += unescaped(inner[++at] ?? '')
        continue
      }
      const name =
        character === '$'
          ? /^\$(?:\{([^}]*)\}|((?:(?:env|script|global|local|private):)?[A-Za-z_]\w*|[?^$_]|\d+))/i.exec(
              rest,
            )
          : null
      if (character === '$' && rest.startsWith('$(')) {
        flush()
        const nested = this.nested(rest.slice(2))
        parts.push({ kind: 'statements', body: nested.body })
        at += 1 + nested.length
      } else if (name) {
        flush()
        parts.push(variable(name[1] ?? name[2] ?? ''))
        at += name[0].length - 1
      } else plain += character
    }
    flush()
    return parts.length === 0
      ? { kind: 'literal', value: '' }
      : parts.length === 1 && typeof parts[0] === 'string'
        ? { kind: 'literal', value: parts[0] }
        : { kind: 'text', parts }
  }

  /** Reads statements of a text up to a closing parenthesis, and how long they were with it. */
  protected abstract nested(text: string): { readonly body: readonly Statement[]; readonly length: number }
}

function variable(name: string): Expression {
  const colon = name.indexOf(':')
  return colon < 0
    ? { kind: 'variable', scope: '', name }
    : { kind: 'variable', scope: name.slice(0, colon).toLowerCase(), name: name.slice(colon + 1) }
}

const units: Readonly<Record<string, number>> = {
  kb: 2 ** 10,
  mb: 2 ** 20,
  gb: 2 ** 30,
  tb: 2 ** 40,
  pb: 2 ** 50,
}

/** The value of a number as written; those beyond 32 bits that are whole become 64-bit. */
export function numberOf(text: string): number | bigint {
  const [, digits = '', suffix = '', unit = ''] = /^(.*?)([dl]?)([kmgtp]b)?$/i.exec(text) ?? []
  const hex = /^[-+]?0x/i.test(digits)
  const value =
    (hex ? Number(digits.replace(/^[-+]/, '')) * (digits.startsWith('-') ? -1 : 1) : Number(digits)) *
    (units[unit.toLowerCase()] ?? 1)
  if (hex && value > 0x7fff_ffff && value <= 0xffff_ffff) return value | 0
  if (
    suffix.toLowerCase() === 'l' ||
    (Number.isInteger(value) && Math.abs(value) > 0x7fff_ffff && /^[-+]?(?:\d+|0x[0-9a-f]+)$/i.test(digits))
  )
    return BigInt(Math.trunc(value))
  return value
}
