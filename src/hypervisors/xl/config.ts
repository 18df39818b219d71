/**
 * A domain's configuration as xl reads it (xl.cfg(5)): assignments of numbers, strings and lists of strings, the part
 * of Python's syntax that xm's files keep to as well.
 */
export type ConfigValue = string | number | readonly string[]
export type DomainConfig = ReadonlyMap<string, ConfigValue>

/** A configuration that is not understood. */
export class UnknownConfig extends Error {
  override readonly name = 'UnknownConfig'
}

const token = /\s*(?:#[^\n]*|("[^"\n]*"|'[^'\n]*')|([A-Za-z_]\w*)|(0x[0-9a-fA-F]+|\d+)|([=,;[\]]))/y

type Token = { readonly kind: 'string' | 'word' | 'number' | 'mark'; readonly text: string }

/** Reads a configuration. Throws UnknownConfig on what xl has no need for: expressions, calls, conditions. */
export function parseConfig(text: string): DomainConfig {
  const tokens = tokensOf(text)
  const config = new Map<string, ConfigValue>()
  let at = 0
  const next = (): Token | undefined => tokens[at++]
  const is = (mark: string): boolean => tokens[at]?.kind === 'mark' && tokens[at]?.text === mark
  const readValue = (key: string): ConfigValue => {
    const first = next()
    if (first?.kind === 'string') {
      return first.text
    }
    if (first?.kind === 'number') {
      return Number(first.text)
    }
    if (first?.kind !== 'mark' || first.text !== '[') {
      throw new UnknownConfig(`the value of "${key}" is neither a number, a string nor a list`)
    }
    const list: string[] = []
    while (!is(']')) {
      const item = next()
      if (item?.kind !== 'string') {
        throw new UnknownConfig(`the list "${key}" holds something that is not a string, or has no end`)
      }
      list.push(item.text)
      if (is(',')) {
        at += 1
      }
    }
    at += 1
    return list
  }
  while (at < tokens.length) {
    if (is(';')) {
      at += 1
      continue
    }
    const key = next()
    if (key?.kind !== 'word' || !is('=')) {
      throw new UnknownConfig(`"${key?.text ?? ''}" is not an assignment`)
    }
    at += 1
    config.set(key.text, readValue(key.text))
  }
  return config
}

/** Writes a configuration. Throws UnknownConfig for a text that xl's strings cannot hold. */
export function writeConfig(config: DomainConfig): string {
  const lines = [...config].map(([key, value]) => {
    const written =
      typeof value === 'number'
        ? String(value)
        : typeof value === 'string'
          ? quoted(value)
          : `[ ${value.map(quoted).join(', ')} ]`
    return `${key} = ${written}\n`
  })
  return lines.join('')
}

function quoted(text: string): string {
  if (/["\\\n]/.test(text)) {
    if (/['\\\n]/.test(text)) {
      throw new UnknownConfig(`xl has no way to write ${JSON.stringify(text)}`)
    }
    return `'${text}'`
  }
  return `"${text}"`
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  token.lastIndex = 0
  while (token.lastIndex < text.length) {
    const from = token.lastIndex
    const match = token.exec(text)
    if (match === null) {
      if (text.slice(from).trim() === '') {
        break
      }
      throw new UnknownConfig(`not understood: ${text.slice(from).trim().slice(0, 60)}`)
    }
    const [, string, word, number, mark] = match
    if (string !== undefined) {
      tokens.push({ kind: 'string', text: string.slice(1, -1) })
    } else if (word !== undefined) {
      tokens.push({ kind: 'word', text: word })
    } else if (number !== undefined) {
      tokens.push({ kind: 'number', text: number })
    } else if (mark !== undefined) {
      tokens.push({ kind: 'mark', text: mark })
    }
  }
  return tokens
}
