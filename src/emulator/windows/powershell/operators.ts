import { cast, isOfType, roundEven, toNumber } from './convert.js'
import { fail } from './errors.js'
import { composite } from './numbers.js'
import { textOf, typeNameOf } from './text.js'
import {
  isArray,
  isTrue,
  itemsOf,
  NetObject,
  PsChar,
  PsDate,
  PsHash,
  PsSpan,
  type ScriptBlock,
  TypeRef,
  type Value,
} from './values.js'

/** What operators need of the script around them. */
export interface OperatorContext {
  offsetMinutes(ms: number): number
  setMatches(groups: PsHash): void
  call(block: ScriptBlock, args: readonly Value[]): Promise<Value>
}

/** Applies a binary operator to values that were evaluated. See about_Operators. Throws PsError. */
export async function binary(
  operator: string,
  left: Value,
  right: Value,
  context: OperatorContext,
): Promise<Value> {
  const name = operator.replace(/^-/, '')
  if (/^[+\-*/%]$/.test(operator)) return arithmetic(operator, left, right)
  if (operator === '..') return range(toNumber(left), toNumber(right))
  if (operator === '-f') {
    const text = composite(textOf(left), itemsOf(right))
    if (text === undefined)
      throw fail({
        message:
          'Error formatting a string: Index (zero based) must be greater than or equal to zero and less than the size of the argument list..',
        id: 'FormatError',
        category: 'InvalidOperation',
      })
    return text
  }
  const sensitive =
    /^c(?:eq|ne|gt|ge|lt|le|like|notlike|match|notmatch|contains|notcontains|in|notin|replace|split)$/.test(
      name,
    )
  const bare =
    /^[ci](?:eq|ne|gt|ge|lt|le|like|notlike|match|notmatch|contains|notcontains|in|notin|replace|split)$/.test(
      name,
    )
      ? name.slice(1)
      : name
  switch (bare) {
    case 'and':
      return isTrue(left) && isTrue(right)
    case 'or':
      return isTrue(left) || isTrue(right)
    case 'xor':
      return isTrue(left) !== isTrue(right)
    case 'band':
      return bits(left, right, (a, b) => a & b)
    case 'bor':
      return bits(left, right, (a, b) => a | b)
    case 'bxor':
      return bits(left, right, (a, b) => a ^ b)
    case 'shl':
      return bits(left, right, (a, b) => a << b)
    case 'shr':
      return bits(left, right, (a, b) => a >> b)
    case 'is':
      return isOfType(left, right instanceof TypeRef ? right.name : textOf(right))
    case 'isnot':
      return !isOfType(left, right instanceof TypeRef ? right.name : textOf(right))
    case 'as':
      try {
        return cast(left, right instanceof TypeRef ? right.name : textOf(right), context.offsetMinutes)
      } catch {
        return null
      }
    case 'join':
      return itemsOf(left)
        .map(it => textOf(it))
        .join(textOf(right))
    case 'contains':
      return itemsOf(left).some(it => equal(it, right, sensitive))
    case 'notcontains':
      return !itemsOf(left).some(it => equal(it, right, sensitive))
    case 'in':
      return itemsOf(right).some(it => equal(it, left, sensitive))
    case 'notin':
      return !itemsOf(right).some(it => equal(it, left, sensitive))
    case 'replace':
      return mapped(left, it => replaced(textOf(it), itemsOf(right), sensitive))
    case 'split':
      return itemsOf(left).flatMap(it => splitText(textOf(it), itemsOf(right), sensitive))
    default:
      return filtered(left, it => compare(bare, it, right, sensitive, context))
  }
}

/** Comparisons with a list on the left give the items that fit. */
function filtered(left: Value, test: (item: Value) => boolean): Value {
  return isArray(left) ? itemsOf(left).filter(test) : test(left)
}

function mapped(left: Value, work: (item: Value) => Value): Value {
  return isArray(left) ? itemsOf(left).map(work) : work(left)
}

function compare(
  name: string,
  left: Value,
  right: Value,
  sensitive: boolean,
  context: OperatorContext,
): boolean {
  switch (name) {
    case 'eq':
      return equal(left, right, sensitive)
    case 'ne':
      return !equal(left, right, sensitive)
    case 'like':
      return wildcard(textOf(right), sensitive).test(textOf(left))
    case 'notlike':
      return !wildcard(textOf(right), sensitive).test(textOf(left))
    case 'match':
    case 'notmatch': {
      const found = regex(textOf(right), sensitive ? '' : 'i').exec(textOf(left))
      if (found && name === 'match') {
        const groups = new PsHash()
        found.forEach((text, index) => {
          groups.set(index, text ?? '')
        })
        for (const [key, text] of Object.entries(found.groups ?? {})) groups.set(key, text ?? '')
        context.setMatches(groups)
      }
      return (found !== null) === (name === 'match')
    }
    default: {
      const order = orderOf(left, right, sensitive)
      return name === 'gt' ? order > 0 : name === 'ge' ? order >= 0 : name === 'lt' ? order < 0 : order <= 0
    }
  }
}

/** A pattern of .NET as one of JavaScript, as far as they agree. */
export function regex(pattern: string, flags: string): RegExp {
  let all = flags
  let source = pattern
  const inline = /^\(\?([imsx]+)\)/.exec(source)
  if (inline) {
    source = source.slice(inline[0].length)
    for (const flag of inline[1] ?? '') if (flag !== 'x' && !all.includes(flag)) all += flag
  }
  source = source
    .replace(/\\A/g, '^')
    .replace(/\\[zZ]/g, '$')
    .replace(/\(\?<(\w+)>/g, '(?<$1>')
    .replace(/\[([^\]]*)\\-/g, '[$1\\-')
  try {
    return new RegExp(source, all)
  } catch {
    throw fail({
      message: `parsing "${pattern}" - The pattern is not understood.`,
      type: 'System.ArgumentException',
      id: 'RuntimeException',
      category: 'NotSpecified',
    })
  }
}

export function wildcard(pattern: string, sensitive: boolean): RegExp {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? ''
    if (character === '*') source += '[\\s\\S]*'
    else if (character === '?') source += '[\\s\\S]'
    else if (character === '[' && pattern.indexOf(']', at) > at) {
      const end = pattern.indexOf(']', at)
      source += pattern.slice(at, end + 1)
      at = end
    } else if (character === '`') source += (pattern[++at] ?? '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    else source += character.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  }
  return new RegExp(`^${source}$`, sensitive ? '' : 'i')
}

/** Equality: the right side is made what the left one is. */
export function equal(left: Value, right: Value, sensitive = false): boolean {
  if (left === null || right === null) return left === right
  if (typeof left === 'boolean') return left === isTrue(right)
  if (typeof left === 'number' || typeof left === 'bigint') {
    if (typeof left === 'bigint' && typeof right === 'bigint') return left === right
    return toNumber(left) === toNumber(right)
  }
  if (left instanceof PsDate)
    return right instanceof PsDate
      ? left.ms + left.offset * 60_000 === right.ms + right.offset * 60_000
      : textOf(left) === textOf(right)
  if (left instanceof TypeRef)
    return right instanceof TypeRef && left.name.toLowerCase() === right.name.toLowerCase()
  if (left instanceof NetObject && typeof right !== 'string' && typeNameOf(left) !== 'System.Version')
    return left === right
  const [a, b] = [textOf(left), textOf(right)]
  return sensitive ? a === b : a.toLowerCase() === b.toLowerCase()
}

export function orderOf(left: Value, right: Value, sensitive = false): number {
  if (left === null) return right === null ? 0 : -1
  const version = (value: Value): readonly number[] | undefined =>
    value instanceof NetObject
      ? (value.inner as { version?: readonly number[] } | undefined)?.version
      : undefined
  const parts = version(left)
  if (parts) {
    const others = version(right) ?? textOf(right).split('.').map(Number)
    for (let at = 0; at < 4; at++)
      if ((parts[at] ?? -1) !== (others[at] ?? -1)) return (parts[at] ?? -1) - (others[at] ?? -1)
    return 0
  }
  if (typeof left === 'bigint' && typeof right === 'bigint') return left < right ? -1 : left > right ? 1 : 0
  if (typeof left === 'number' || typeof left === 'bigint' || typeof left === 'boolean') {
    const other = toNumber(right)
    if (Number.isNaN(other))
      throw fail({
        message: `Could not compare "${textOf(left)}" to "${textOf(right)}". Error: "Cannot convert value "${textOf(right)}" to type "System.Int32". Error: "Input string was not in a correct format.""`,
        id: 'ComparisonFailure',
        category: 'InvalidOperation',
      })
    return toNumber(left) - other
  }
  if (left instanceof PsDate && right instanceof PsDate) return left.ms - right.ms
  if (left instanceof PsSpan && right instanceof PsSpan) return left.ms - right.ms
  const [a, b] = sensitive
    ? [textOf(left), textOf(right)]
    : [textOf(left).toLowerCase(), textOf(right).toLowerCase()]
  return a < b ? -1 : a > b ? 1 : 0
}

function replaced(text: string, parts: readonly Value[], sensitive: boolean): string {
  const [pattern = null, replacement = ''] = parts
  return text.replace(
    regex(textOf(pattern), sensitive ? 'g' : 'gi'),
    textOf(replacement).replace(/\$\{(\w+)\}/g, '$<$1>'),
  )
}

function splitText(text: string, parts: readonly Value[], sensitive: boolean): string[] {
  const [pattern = null, most] = parts
  const expression = regex(textOf(pattern), sensitive ? '' : 'i')
  const found = text.split(expression)
  const limit = most === undefined ? 0 : toNumber(most)
  if (limit <= 0 || found.length <= limit) return found
  const kept = found.slice(0, limit - 1)
  let rest = text
  for (let count = 1; count < limit; count++)
    rest = rest.slice(rest.search(expression)).replace(expression, '')
  return [...kept, rest]
}

function range(from: number, to: number): Value {
  const step = from <= to ? 1 : -1
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, index) => from + index * step)
}

function bits(left: Value, right: Value, work: (a: bigint, b: bigint) => bigint): Value {
  const big = typeof left === 'bigint' || typeof right === 'bigint'
  const value = work(
    typeof left === 'bigint' ? left : BigInt(roundEven(toNumber(left))),
    typeof right === 'bigint' ? right : BigInt(roundEven(toNumber(right))),
  )
  return big ? value : Number(value)
}

/** Arithmetic: lists and texts join, hashtables merge, dates move. Throws PsError. */
export function arithmetic(operator: string, left: Value, right: Value): Value {
  if (operator === '+') {
    if (left === null) return right
    if (isArray(left)) return [...itemsOf(left), ...itemsOf(right)]
    if (typeof left === 'string' || left instanceof PsChar) return textOf(left) + textOf(right)
    if (left instanceof PsHash && right instanceof PsHash) {
      const merged = new PsHash(left.ordered)
      for (const it of [...left.entries.values(), ...right.entries.values()]) merged.set(it.key, it.value)
      return merged
    }
    if (left instanceof PsDate && right instanceof PsSpan)
      return new PsDate(left.ms + right.ms, left.kind, left.offset)
    if (left instanceof PsSpan && right instanceof PsSpan) return new PsSpan(left.ms + right.ms)
  }
  if (operator === '-' && left instanceof PsDate) {
    if (right instanceof PsDate)
      return new PsSpan(left.ms + left.offset * 60_000 - right.ms - right.offset * 60_000)
    if (right instanceof PsSpan) return new PsDate(left.ms - right.ms, left.kind, left.offset)
  }
  if (operator === '-' && left instanceof PsSpan && right instanceof PsSpan)
    return new PsSpan(left.ms - right.ms)
  if (operator === '*' && typeof left === 'string') return left.repeat(Math.max(0, toNumber(right)))
  if (operator === '*' && isArray(left))
    return Array.from({ length: Math.max(0, toNumber(right)) }, () => itemsOf(left)).flat()
  return numeric(operator, left, right)
}

function numeric(operator: string, left: Value, right: Value): Value {
  const bothWhole = [left, right].every(
    it => typeof it === 'bigint' || (typeof it === 'number' && Number.isInteger(it)),
  )
  if (bothWhole && (typeof left === 'bigint' || typeof right === 'bigint')) {
    const [a, b] = [BigInt(left as number), BigInt(right as number)]
    if (operator === '+') return a + b
    if (operator === '-') return a - b
    if (operator === '*') return a * b
    if (b === 0n) throw divisionByZero()
    if (operator === '%') return a % b
    return a % b === 0n ? a / b : Number(a) / Number(b)
  }
  const [a, b] = [toNumber(left), toNumber(right)]
  if (Number.isNaN(a) || Number.isNaN(b)) {
    const wrong = Number.isNaN(b) ? right : left
    if (typeof wrong === 'string')
      throw fail({
        message: `Cannot convert value "${wrong}" to type "System.Int32". Error: "Input string was not in a correct format."`,
        id: 'InvalidCastFromStringToInteger',
        category: 'InvalidArgument',
      })
    throw fail({
      message: `Method invocation failed because [${typeNameOf(wrong)}] does not contain a method named 'op_${operator === '+' ? 'Addition' : operator === '-' ? 'Subtraction' : operator === '*' ? 'Multiply' : 'Division'}'.`,
      id: 'MethodNotFound',
      category: 'InvalidOperation',
    })
  }
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      if (b === 0 && Number.isInteger(a)) throw divisionByZero()
      return a / b
    default:
      if (b === 0) throw divisionByZero()
      return a % b
  }
}

function divisionByZero(): Error {
  return fail({ message: 'Attempted to divide by zero.', id: 'RuntimeException', category: 'NotSpecified' })
}
