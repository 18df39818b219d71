import type { Bytes } from '../files/bytes.js'

/** Options as `getopt_long` reads them. */
export interface Options {
  has(letter: string): boolean
  /** The last value of an option that takes one. */
  value(letter: string): Bytes | undefined
  readonly operands: readonly Bytes[]
  /** What is wrong, as programs say it, e.g. `invalid option -- 'q'`. */
  readonly mistake: string | undefined
}

/**
 * Reads options. `letters` is as for getopt: a colon after those that take a value; with a leading `+`, options end
 * at the first operand. `long` gives the letter of each long name.
 */
export function readOptions(
  args: readonly Bytes[],
  letters: string,
  long: Readonly<Record<string, string>> = {},
): Options {
  const found = new Map<string, Bytes | undefined>()
  const operands: Bytes[] = []
  const strict = letters.startsWith('+')
  let mistake: string | undefined
  const takesValue = (letter: string): boolean => letters.charAt(letters.indexOf(letter) + 1) === ':'
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ''
    if (arg === '--') {
      operands.push(...args.slice(at + 1))
      break
    }
    if (arg === '-' || !arg.startsWith('-')) {
      if (strict) {
        operands.push(...args.slice(at))
        break
      }
      operands.push(arg)
      continue
    }
    if (arg.startsWith('--')) {
      const [name = '', value] = splitOnce(arg.slice(2))
      const letter = long[name]
      if (!letter) mistake ??= `unrecognized option '--${name}'`
      else found.set(letter, takesValue(letter) ? (value ?? args[++at]) : '')
      continue
    }
    for (let place = 1; place < arg.length; place++) {
      const letter = arg.charAt(place)
      if (letter === ':' || letter === '+' || !letters.includes(letter))
        mistake ??= `invalid option -- '${letter}'`
      else if (!takesValue(letter)) found.set(letter, '')
      else {
        const rest = arg.slice(place + 1)
        found.set(letter, rest === '' ? args[++at] : rest)
        break
      }
    }
  }
  return { has: letter => found.has(letter), value: letter => found.get(letter), operands, mistake }
}

function splitOnce(text: Bytes): [Bytes, Bytes | undefined] {
  const at = text.indexOf('=')
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}
