/** Finds the value of a variable; undefined when there is none. */
export type Lookup = (name: string) => string | undefined

/**
 * Expands `%NAME%`, `%NAME:a=b%` and `%NAME:~start,count%` as on a command line: a name that is not set stays as it is.
 * In a batch file it vanishes, `%%` is `%`, and `%0` to `%9` and `%*` are its arguments.
 */
export function expandPercent(line: string, lookup: Lookup, batch?: readonly string[]): string {
  let out = ''
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? ''
    if (character !== '%') {
      out += character
      continue
    }
    if (batch) {
      const next = line[at + 1] ?? ''
      if (next === '%') {
        out += '%'
        at++
        continue
      }
      const argument = /^%(?:(\*)|(~[a-z]*)?(\d))/i.exec(line.slice(at))
      if (argument) {
        const [whole, all, modifier, digit] = argument
        const value = batch[Number(digit ?? 0)] ?? ''
        out += all ? batch.slice(1).join(' ') : modifier ? modified(value, modifier) : value
        at += whole.length - 1
        continue
      }
    }
    const end = line.indexOf('%', at + 1)
    const inner = end < 0 ? undefined : line.slice(at + 1, end)
    const value = inner === undefined || inner === '' ? undefined : substituted(inner, lookup)
    if (value !== undefined) {
      out += value
      at = end
    } else if (batch && end >= 0) at = end
    else if (!batch) out += '%'
  }
  return out
}

/** Expands `!NAME!`, where delayed expansion is on. A caret that it meets is taken away with it. */
export function expandDelayed(text: string, lookup: Lookup): string {
  if (!text.includes('!')) return text
  return text.replace(/\^(.)|!([^!]+)!/g, (whole, escaped: string | undefined, inner: string | undefined) => {
    if (escaped !== undefined) return escaped
    return (
      (inner === undefined ? undefined : substituted(inner, lookup)) ?? (inner === undefined ? whole : '')
    )
  })
}

function modified(value: string, modifier: string): string {
  const bare = value.replace(/^"|"$/g, '')
  if (/n/.test(modifier) && /x/.test(modifier)) return bare.split('\\').at(-1) ?? ''
  if (/d/.test(modifier) && /p/.test(modifier)) return `${bare.slice(0, bare.lastIndexOf('\\') + 1)}`
  return bare
}

function substituted(inner: string, lookup: Lookup): string | undefined {
  const plain = lookup(inner)
  if (plain !== undefined) return plain
  const colon = inner.indexOf(':')
  if (colon <= 0) return undefined
  const value = lookup(inner.slice(0, colon))
  if (value === undefined) return undefined
  const operation = inner.slice(colon + 1)
  const range = /^~(-?\d+)?(?:,(-?\d+))?$/.exec(operation)
  if (range) {
    const first = Number(range[1] ?? 0)
    const start = first < 0 ? Math.max(0, value.length + first) : first
    const count = range[2] === undefined ? value.length : Number(range[2])
    return count < 0 ? value.slice(start, value.length + count) : value.slice(start, start + count)
  }
  const equals = operation.indexOf('=')
  if (equals <= 0) return undefined
  const search = operation.slice(0, equals)
  const source = search.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const replacement = operation.slice(equals + 1).replaceAll('$', '$$$$')
  return search.startsWith('*')
    ? value.replace(new RegExp(`^[\\s\\S]*?${source.slice(2)}`, 'i'), replacement)
    : value.replace(new RegExp(source, 'gi'), replacement)
}
