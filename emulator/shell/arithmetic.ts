import type { Bytes } from '../files/bytes.js'
import { ShellError } from './control.js'

/** How an expression reads and sets variables. */
export interface ArithmeticVariables {
  get(name: Bytes): Bytes | undefined
  set(name: Bytes, value: Bytes): void
}

const token =
  /\s*(0[xX][0-9a-fA-F]+|\d+#[0-9a-zA-Z@_]+|\d+|[A-Za-z_]\w*|<<=|>>=|\*\*|\+\+|--|&&|\|\||<<|>>|[-+*/%&^|]=|[<>=!]=|[-+*/%<>=!~&^|?:(),])/y

/** Operators that stand between two values, by how strongly they bind. */
const levels: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
]
const assignments = new Set(['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>='])

/** Evaluates a shell arithmetic expression in 64-bit signed integers. Throws ShellError. */
export function evaluateArithmetic(text: Bytes, variables: ArithmeticVariables, depth = 0): bigint {
  if (depth > 32) throw new ShellError(`arithmetic expression: recursion: "${text}"`, 2)
  return new Expression(text, variables, depth).whole()
}

function wrap(value: bigint): bigint {
  return BigInt.asIntN(64, value)
}

function truth(value: boolean): bigint {
  return value ? 1n : 0n
}

class Expression {
  readonly #text: Bytes
  readonly #tokens: string[] = []
  readonly #variables: ArithmeticVariables
  readonly #depth: number
  #at = 0
  /** Above 0 in a branch that is not taken: nothing is assigned, nothing divided. */
  #skipping = 0

  constructor(text: Bytes, variables: ArithmeticVariables, depth: number) {
    this.#text = text
    this.#variables = variables
    this.#depth = depth
    token.lastIndex = 0
    while (text.slice(token.lastIndex).trim() !== '') {
      const found = token.exec(text)
      if (!found) throw this.#error('syntax error')
      this.#tokens.push(found[1] ?? '')
    }
  }

  whole(): bigint {
    if (this.#tokens.length === 0) return 0n
    const value = this.#comma()
    if (this.#at < this.#tokens.length) throw this.#error('expecting EOF')
    return value
  }

  #error(what: string): ShellError {
    return new ShellError(`arithmetic expression: ${what}: "${this.#text}"`, 2)
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at]
  }

  #take(expected: string): boolean {
    if (this.#peek() !== expected) return false
    this.#at++
    return true
  }

  #comma(): bigint {
    let value = this.#assignment()
    while (this.#take(',')) value = this.#assignment()
    return value
  }

  #assignment(): bigint {
    const name = this.#peek()
    const operator = this.#tokens[this.#at + 1]
    if (
      name === undefined ||
      operator === undefined ||
      !/^[A-Za-z_]/.test(name) ||
      !assignments.has(operator)
    ) {
      return this.#conditional()
    }
    this.#at += 2
    const right = this.#assignment()
    const value = operator === '=' ? right : this.#apply(operator.slice(0, -1), this.#variable(name), right)
    this.#assign(name, value)
    return value
  }

  #conditional(): bigint {
    const condition = this.#binary(0)
    if (!this.#take('?')) return condition
    const yes = this.#skip(condition === 0n, () => this.#comma())
    if (!this.#take(':')) throw this.#error("expecting ':'")
    const no = this.#skip(condition !== 0n, () => this.#conditional())
    return condition === 0n ? no : yes
  }

  #skip(skip: boolean, read: () => bigint): bigint {
    if (!skip) return read()
    this.#skipping++
    try {
      return read()
    } finally {
      this.#skipping--
    }
  }

  #binary(level: number): bigint {
    const operators = levels[level]
    if (!operators) return this.#power()
    let left = this.#binary(level + 1)
    for (;;) {
      const operator = this.#peek()
      if (operator === undefined || !operators.includes(operator)) return left
      this.#at++
      const known = (operator === '&&' && left === 0n) || (operator === '||' && left !== 0n)
      const right = this.#skip(known, () => this.#binary(level + 1))
      left = known ? truth(operator === '||') : this.#apply(operator, left, right)
    }
  }

  #power(): bigint {
    const base = this.#unary()
    if (!this.#take('**')) return base
    const exponent = this.#power()
    if (exponent < 0n) throw this.#error('exponent less than 0')
    return wrap(base ** (exponent > 4096n ? 4096n : exponent))
  }

  #unary(): bigint {
    if (this.#take('-')) return wrap(-this.#unary())
    if (this.#take('+')) return this.#unary()
    if (this.#take('!')) return truth(this.#unary() === 0n)
    if (this.#take('~')) return ~this.#unary()
    const step = this.#peek()
    if (step === '++' || step === '--') {
      this.#at++
      const name = this.#name()
      const value = wrap(this.#variable(name) + (step === '++' ? 1n : -1n))
      this.#assign(name, value)
      return value
    }
    return this.#postfix()
  }

  #postfix(): bigint {
    const name = this.#peek()
    const value = this.#primary()
    const step = this.#peek()
    if (name !== undefined && /^[A-Za-z_]/.test(name) && (step === '++' || step === '--')) {
      this.#at++
      this.#assign(name, wrap(value + (step === '++' ? 1n : -1n)))
    }
    return value
  }

  #primary(): bigint {
    if (this.#take('(')) {
      const value = this.#comma()
      if (!this.#take(')')) throw this.#error("expecting ')'")
      return value
    }
    const word = this.#peek()
    if (word === undefined || !/^\w/.test(word)) throw this.#error('expecting primary')
    this.#at++
    return /^\d/.test(word) ? this.#number(word) : this.#variable(word)
  }

  #name(): Bytes {
    const word = this.#peek()
    if (word === undefined || !/^[A-Za-z_]/.test(word)) throw this.#error('expecting variable')
    this.#at++
    return word
  }

  #number(word: string): bigint {
    const [base, digits] = word.split('#')
    if (digits !== undefined) {
      let value = 0n
      for (const digit of digits) {
        const worth = Number.parseInt(digit, 36)
        if (!(worth < Number(base))) throw this.#error('value too great for base')
        value = value * BigInt(base ?? 10) + BigInt(worth)
      }
      return wrap(value)
    }
    if (/^0\d/.test(word)) {
      if (/[89]/.test(word)) throw this.#error('bad octal number')
      return wrap(BigInt(`0o${word.slice(1)}`))
    }
    return wrap(BigInt(word))
  }

  #variable(name: Bytes): bigint {
    const value = this.#variables.get(name)?.trim() ?? ''
    if (value === '') return 0n
    const sign = value.startsWith('-') ? -1n : 1n
    const digits = value.replace(/^[-+]/, '')
    if (/^(0[xX][0-9a-fA-F]+|\d+)$/.test(digits)) return wrap(sign * this.#number(digits))
    return evaluateArithmetic(value, this.#variables, this.#depth + 1)
  }

  #assign(name: Bytes, value: bigint): void {
    if (this.#skipping === 0) this.#variables.set(name, value.toString())
  }

  #apply(operator: string, left: bigint, right: bigint): bigint {
    switch (operator) {
      case '||':
        return truth(left !== 0n || right !== 0n)
      case '&&':
        return truth(left !== 0n && right !== 0n)
      case '|':
        return left | right
      case '^':
        return left ^ right
      case '&':
        return left & right
      case '==':
        return truth(left === right)
      case '!=':
        return truth(left !== right)
      case '<':
        return truth(left < right)
      case '<=':
        return truth(left <= right)
      case '>':
        return truth(left > right)
      case '>=':
        return truth(left >= right)
      case '<<':
        return wrap(left << (right & 63n))
      case '>>':
        return wrap(left >> (right & 63n))
      case '+':
        return wrap(left + right)
      case '-':
        return wrap(left - right)
      case '*':
        return wrap(left * right)
      default:
        return this.#divide(operator, left, right)
    }
  }

  #divide(operator: string, left: bigint, right: bigint): bigint {
    if (this.#skipping > 0) return 0n
    if (right === 0n) throw this.#error('division by zero')
    return wrap(operator === '/' ? left / right : left % right)
  }
}
