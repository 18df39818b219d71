import { type EventRecord, levelNumbers } from '../store/events.js'

/** A condition on an event: the part of XPath 1.0 that the event log takes. See learn.microsoft.com/windows/win32/wes/consuming-events. */
export type XPath = (event: EventRecord) => boolean

export function fitsXPath(test: XPath, event: EventRecord): boolean {
  return test(event)
}

/** Reads `*`, `*[System[…]]` and `Event[System[…]]`; undefined where the event log would refuse. */
export function readXPath(text: string): XPath | undefined {
  const clean = text.trim()
  if (clean === '*' || clean === 'Event') return () => true
  const match = /^(?:\*|Event)\[\s*System\s*\[([\s\S]*)\]\s*\]$/.exec(clean)
  if (match) return new Reader(match[1] ?? '').whole()
  const flat = /^(?:\*|Event)\[([\s\S]*)\]$/.exec(clean)?.[1]
  return flat === undefined ? undefined : new Reader(flat.replace(/System\//g, '')).whole()
}

class Reader {
  readonly #tokens: readonly string[]
  #at = 0

  constructor(text: string) {
    this.#tokens = text.match(/'[^']*'|"[^"]*"|&lt;=?|&gt;=?|<=|>=|!=|[=<>()[\],]|@?[\w.:-]+/g) ?? []
  }

  whole(): XPath | undefined {
    const test = this.#either()
    return test && this.#at === this.#tokens.length ? test : undefined
  }

  #either(): XPath | undefined {
    let left = this.#both()
    while (left && this.#take('or')) {
      const [a, b]: [XPath, XPath | undefined] = [left, this.#both()]
      left = b && (event => a(event) || b(event))
    }
    return left
  }

  #both(): XPath | undefined {
    let left = this.#one()
    while (left && this.#take('and')) {
      const [a, b]: [XPath, XPath | undefined] = [left, this.#one()]
      left = b && (event => a(event) && b(event))
    }
    return left
  }

  #one(): XPath | undefined {
    if (this.#take('(')) {
      const inner = this.#either()
      return this.#take(')') ? inner : undefined
    }
    const name = this.#tokens[this.#at++] ?? ''
    if (name === 'Provider' || name === 'TimeCreated' || name === 'Execution') {
      if (!this.#take('[')) return undefined
      const inner = this.#attributes()
      return this.#take(']') ? inner : undefined
    }
    return this.#comparison(name)
  }

  #attributes(): XPath | undefined {
    let left = this.#attribute()
    for (;;) {
      const word = this.#tokens[this.#at]
      if (!left || (word !== 'and' && word !== 'or')) return left
      this.#at++
      const [a, b]: [XPath, XPath | undefined] = [left, this.#attribute()]
      left = b && (word === 'and' ? event => a(event) && b(event) : event => a(event) || b(event))
    }
  }

  #attribute(): XPath | undefined {
    const name = this.#tokens[this.#at++] ?? ''
    if (name === 'timediff') {
      if (!this.#take('(') || !this.#take('@SystemTime') || !this.#take(')')) return undefined
      const operator = this.#operator()
      const value = Number(this.#literal())
      return operator === undefined ? undefined : event => compare(Date.now() - event.timeMs, operator, value)
    }
    return this.#comparison(name)
  }

  #comparison(name: string): XPath | undefined {
    const get = fields[name]
    const operator = this.#operator()
    const literal = this.#literal()
    if (!get || !operator || literal === undefined) return undefined
    const wanted =
      name === '@SystemTime' ? Date.parse(literal) : /^-?\d+$/.test(literal) ? Number(literal) : literal
    return event => compare(get(event), operator, wanted)
  }

  #operator(): string | undefined {
    const token = this.#tokens[this.#at++]?.replace('&lt;', '<').replace('&gt;', '>')
    return token !== undefined && ['=', '!=', '<', '>', '<=', '>='].includes(token) ? token : undefined
  }

  #literal(): string | undefined {
    return this.#tokens[this.#at++]?.replace(/^['"]|['"]$/g, '')
  }

  #take(text: string): boolean {
    if (this.#tokens[this.#at] !== text) return false
    this.#at++
    return true
  }
}

const fields: Readonly<Record<string, (event: EventRecord) => string | number>> = {
  EventID: event => event.id,
  Level: event => levelNumbers[event.level],
  EventRecordID: event => event.record,
  Channel: event => event.log,
  Computer: event => event.computer,
  Task: event => event.category,
  '@Name': event => event.source,
  '@SystemTime': event => event.timeMs,
  '@ProcessID': event => event.pid,
}

function compare(actual: string | number, operator: string, wanted: string | number): boolean {
  const order =
    typeof actual === 'number'
      ? actual - Number(wanted)
      : actual === String(wanted)
        ? 0
        : actual < String(wanted)
          ? -1
          : 1
  switch (operator) {
    case '=':
      return order === 0
    case '!=':
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
