import { toNumber } from './convert.js'
import { methodFailure } from './errors.js'
import { textOf } from './text.js'
import { isArray, itemsOf, PsChar, type Value } from './values.js'

type TextMethod = (text: string, args: readonly Value[]) => Value

const at = (args: readonly Value[], index: number): string => textOf(args[index] ?? null)
const insensitive = (args: readonly Value[]): boolean =>
  args.slice(1).some(it => /IgnoreCase$/i.test(textOf(it)))

function range(
  method: string,
  text: string,
  args: readonly Value[],
): readonly [start: number, count: number] {
  const start = toNumber(args[0] ?? 0)
  const count = args.length > 1 ? toNumber(args[1] ?? 0) : text.length - start
  if (start < 0 || start > text.length)
    throw methodFailure(
      method,
      args.length,
      'startIndex cannot be larger than length of string.\r\nParameter name: startIndex',
      'System.ArgumentOutOfRangeException',
    )
  if (count < 0 || start + count > text.length)
    throw methodFailure(
      method,
      args.length,
      'Index and length must refer to a location within the string.\r\nParameter name: length',
      'System.ArgumentOutOfRangeException',
    )
  return [start, count]
}

function charactersOf(args: readonly Value[]): string {
  return args.flatMap(it => (isArray(it) ? itemsOf(it).map(one => textOf(one)) : [textOf(it)])).join('')
}

function trim(text: string, args: readonly Value[], start: boolean, end: boolean): string {
  const characters = args.length === 0 ? ' \t\r\n\f\v\u00a0\ufeff' : charactersOf(args)
  let [from, to] = [0, text.length]
  while (start && from < to && characters.includes(text[from] ?? '')) from++
  while (end && to > from && characters.includes(text[to - 1] ?? '')) to--
  return text.slice(from, to)
}

/** The characters that a Split separates at, or the texts where texts are given in a list. */
function split(text: string, args: readonly Value[]): Value {
  const [first = null, second = null] = args
  const remove = args.some(it => /^RemoveEmptyEntries$/i.test(textOf(it)) || it === 1)
  const whole = isArray(first) && itemsOf(first).every(it => typeof it === 'string' && it.length > 1)
  const most = typeof second === 'number' && second !== 1 ? second : 0
  const separators = whole ? itemsOf(first).map(it => textOf(it)) : [...charactersOf([first])]
  const source = (separators.length === 0 ? [' ', '\t', '\r', '\n'] : separators)
    .map(it => it.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('|')
  const found = text.split(new RegExp(source))
  const kept = remove ? found.filter(it => it !== '') : found
  if (most <= 0 || kept.length <= most) return kept
  const separator = separators[0] ?? ' '
  return [...kept.slice(0, most - 1), kept.slice(most - 1).join(separator)]
}

/** Methods of System.String. */
export const textMethods: Readonly<Record<string, TextMethod>> = {
  split,
  trim: (text, args) => trim(text, args, true, true),
  trimstart: (text, args) => trim(text, args, true, false),
  trimend: (text, args) => trim(text, args, false, true),
  replace: (text, args) => text.split(at(args, 0)).join(at(args, 1)),
  substring: (text, args) => {
    const [start, count] = range('Substring', text, args)
    return text.slice(start, start + count)
  },
  remove: (text, args) => {
    const [start, count] = range('Remove', text, args)
    return text.slice(0, start) + text.slice(start + count)
  },
  insert: (text, args) =>
    text.slice(0, toNumber(args[0] ?? 0)) + at(args, 1) + text.slice(toNumber(args[0] ?? 0)),
  toupper: text => text.toUpperCase(),
  toupperinvariant: text => text.toUpperCase(),
  tolower: text => text.toLowerCase(),
  tolowerinvariant: text => text.toLowerCase(),
  startswith: (text, args) =>
    insensitive(args)
      ? text.toLowerCase().startsWith(at(args, 0).toLowerCase())
      : text.startsWith(at(args, 0)),
  endswith: (text, args) =>
    insensitive(args) ? text.toLowerCase().endsWith(at(args, 0).toLowerCase()) : text.endsWith(at(args, 0)),
  contains: (text, args) => text.includes(at(args, 0)),
  indexof: (text, args) =>
    insensitive(args)
      ? text.toLowerCase().indexOf(at(args, 0).toLowerCase())
      : text.indexOf(at(args, 0), typeof args[1] === 'number' ? args[1] : 0),
  lastindexof: (text, args) => text.lastIndexOf(at(args, 0)),
  indexofany: (text, args) => {
    const found = [...charactersOf(args)].map(it => text.indexOf(it)).filter(it => it >= 0)
    return found.length === 0 ? -1 : Math.min(...found)
  },
  padleft: (text, args) => text.padStart(toNumber(args[0] ?? 0), args.length > 1 ? at(args, 1) : ' '),
  padright: (text, args) => text.padEnd(toNumber(args[0] ?? 0), args.length > 1 ? at(args, 1) : ' '),
  tochararray: text => [...text].map(it => new PsChar(it)),
  chars: (text, args) => new PsChar(text[toNumber(args[0] ?? 0)] ?? ''),
  normalize: text => text.normalize(),
}
