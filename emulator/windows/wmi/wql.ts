import { CimDate, invalidQuery, type WmiInstance, type WmiValue } from './values.js'

type Literal = string | number | boolean | null

/** A condition of WQL. See learn.microsoft.com/windows/win32/wmisdk/wql-sql-for-wmi. */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly inner: Condition }
  | { readonly kind: 'compare'; readonly name: string; readonly operator: string; readonly value: Literal }

export interface Query {
  /** Undefined for `*`. */
  readonly select: readonly string[] | undefined
  readonly from: string
  readonly where: Condition | undefined
}

interface Token {
  readonly kind: 'word' | 'text' | 'number' | 'sign'
  readonly text: string
}

function tokens(text: string): Token[] {
  const found: Token[] = []
  const pattern =
    /\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(-?\d+(?:\.\d+)?)(?![\w])|([A-Za-z_][\w.]*)|(<>|!=|<=|>=|[=<>(),*]))/y
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex
    if (/^\s*$/.test(text.slice(at))) break
    const match = pattern.exec(text)
    if (!match) throw invalidQuery()
    const [, quoted, number, word, sign] = match
    if (quoted !== undefined) found.push({ kind: 'text', text: quoted.slice(1, -1).replace(/\\(.)/g, '$1') })
    else if (number !== undefined) found.push({ kind: 'number', text: number })
    else if (word !== undefined) found.push({ kind: 'word', text: word })
    else found.push({ kind: 'sign', text: sign ?? '' })
  }
  return found
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(text: string) {
    this.#tokens = tokens(text)
  }

  get ended(): boolean {
    return this.#at >= this.#tokens.length
  }

  next(): Token {
    const token = this.#tokens[this.#at++]
    if (!token) throw invalidQuery()
    return token
  }

  take(text: string): boolean {
    const token = this.#tokens[this.#at]
    if (!token || token.kind === 'text' || token.text.toLowerCase() !== text) return false
    this.#at++
    return true
  }

  need(text: string): void {
    if (!this.take(text)) throw invalidQuery()
  }

  condition(): Condition {
    let left = this.#both()
    while (this.take('or')) left = { kind: 'or', left, right: this.#both() }
    return left
  }

  #both(): Condition {
    let left = this.#one()
    while (this.take('and')) left = { kind: 'and', left, right: this.#one() }
    return left
  }

  #one(): Condition {
    if (this.take('not')) return { kind: 'not', inner: this.#one() }
    if (this.take('(')) {
      const inner = this.condition()
      this.need(')')
      return inner
    }
    const first = this.next()
    const operator = this.#operator()
    const second = this.#value()
    if (first.kind === 'word')
      return { kind: 'compare', name: first.text, operator: operator.name, value: second }
    throw invalidQuery()
  }

  #operator(): { readonly name: string } {
    if (this.take('is')) return { name: this.take('not') ? '<>' : '=' }
    if (this.take('like')) return { name: 'like' }
    if (this.take('not')) {
      this.need('like')
      return { name: 'not like' }
    }
    const token = this.next()
    if (token.kind !== 'sign' || !['=', '<>', '!=', '<', '>', '<=', '>='].includes(token.text))
      throw invalidQuery()
    return { name: token.text === '!=' ? '<>' : token.text }
  }

  #value(): Literal {
    const token = this.next()
    if (token.kind === 'text') return token.text
    if (token.kind === 'number') return Number(token.text)
    const word = token.text.toLowerCase()
    if (word === 'true' || word === 'false') return word === 'true'
    if (word === 'null') return null
    throw invalidQuery()
  }
}

/** Reads a SELECT. Throws WmiError where WMI would say `Invalid query`. */
export function parseWql(text: string): Query {
  const parser = new Parser(text)
  parser.need('select')
  const names: string[] = []
  const all = parser.take('*')
  if (!all) {
    do names.push(parser.next().text)
    while (parser.take(','))
  }
  parser.need('from')
  const from = parser.next().text
  const where = parser.take('where') ? parser.condition() : undefined
  if (!parser.ended) throw invalidQuery()
  return { select: all ? undefined : names, from, where }
}

/** Reads what stands after WHERE. */
export function parseCondition(text: string): Condition {
  const parser = new Parser(text)
  const condition = parser.condition()
  if (!parser.ended) throw invalidQuery()
  return condition
}

/** Whether an instance fits: undefined where something compared is null, which is neither. Throws WmiError. */
export function fits(condition: Condition, instance: WmiInstance): boolean | undefined {
  if ('left' in condition) {
    const decisive = condition.kind === 'or'
    const [left, right] = [fits(condition.left, instance), fits(condition.right, instance)]
    if (left === decisive || right === decisive) return decisive
    return left === undefined || right === undefined ? undefined : !decisive
  }
  if (condition.kind === 'not') {
    const inner = fits(condition.inner, instance)
    return inner === undefined ? undefined : !inner
  }
  const name = instance.definition.properties.find(
    it => it.name.toLowerCase() === condition.name.toLowerCase(),
  )?.name
  if (name === undefined) {
    if (condition.name.toLowerCase() === '__class')
      return compare(instance.definition.name, condition.operator, condition.value)
    throw invalidQuery()
  }
  return compare(instance.values.get(name) ?? null, condition.operator, condition.value)
}

function compare(actual: WmiValue, operator: string, wanted: Literal): boolean | undefined {
  if (wanted === null) return operator === '=' ? actual === null : actual !== null
  if (actual === null) return undefined
  if (Array.isArray(actual)) throw invalidQuery()
  if (operator === 'like') return like(String(actual), String(wanted))
  if (operator === 'not like') return !like(String(actual), String(wanted))
  const order = orderOf(actual, wanted)
  if (Number.isNaN(order)) throw invalidQuery()
  switch (operator) {
    case '=':
      return order === 0
    case '<>':
      return order !== 0
    case '<':
      return order < 0
    case '>':
      return order > 0
    case '<=':
      return order <= 0
    default:
      return order >= 0
  }
}

function orderOf(actual: WmiValue, wanted: string | number | boolean): number {
  if (actual instanceof CimDate) {
    const at = Date.parse(dateText(String(wanted)))
    return actual.ms - at
  }
  if (typeof actual === 'boolean') {
    const truth =
      typeof wanted === 'string' ? wanted.toLowerCase() === 'true' || wanted === '1' : Boolean(wanted)
    return Number(actual) - Number(truth)
  }
  if (typeof actual === 'number' || typeof actual === 'bigint') return Number(actual) - Number(wanted)
  const [a, b] = [String(actual).toLowerCase(), String(wanted).toLowerCase()]
  return a < b ? -1 : a > b ? 1 : 0
}

/** A DMTF time as ISO; other forms are left to the runtime. */
function dateText(text: string): string {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{3})\d{3}([+-])(\d{3})$/.exec(text)
  if (!match) return text
  const [, year, month, day, hour, minute, second, ms, sign, offset = '0'] = match
  const minutes = Number(offset)
  const zone = `${sign}${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}${zone}`
}

function like(text: string, pattern: string): boolean {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? ''
    const close = pattern.indexOf(']', at)
    if (character === '%') source += '[\\s\\S]*'
    else if (character === '_') source += '[\\s\\S]'
    else if (character === '[' && close > at) {
      const set = pattern.slice(at + 1, close)
      source += `[${set.replace(/\\/g, '\\\\').replace(/=(?=.)/g, '-')}]`
      at = close
    } else source += character.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  }
  return new RegExp(`^${source}$`, 'i').test(text)
}
