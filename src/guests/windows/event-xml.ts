/** An event of one of Windows' logs. */
export interface WindowsEvent {
  readonly log: string
  readonly recordNumber: number
  readonly id: number
  /** The provider's name; before 2008 the source. */
  readonly provider: string
  /** 1 critical, 2 error, 3 warning, 4 information; 0 where the provider says none. */
  readonly level: number
  readonly at: Date
  /** What stands in the places of its message. */
  readonly data: readonly string[]
}

/** Reads what `wevtutil qe /f:xml` printed; `null` when it is not events alone. */
export function parseEvents(xml: string): WindowsEvent[] | null {
  const elements = [...xml.matchAll(/<Event\b[^>]*>([\s\S]*?)<\/Event>/g)]
  const rest = xml.replace(/<Event\b[^>]*>[\s\S]*?<\/Event>/g, '').trim()
  const events = elements.map(([, inner = '']) => parseEvent(inner))
  return rest !== '' || events.some(event => event === null) ? null : (events as WindowsEvent[])
}

function parseEvent(inner: string): WindowsEvent | null {
  const [, system = '', after = ''] = /<System>([\s\S]*?)<\/System>([\s\S]*)/.exec(inner) ?? []
  const provider = attribute(system, 'Provider', 'Name')
  const id = Number(text(system, 'EventID'))
  const recordNumber = Number(text(system, 'EventRecordID'))
  const at = new Date(attribute(system, 'TimeCreated', 'SystemTime') ?? '')
  if (
    provider === null ||
    !Number.isInteger(id) ||
    text(system, 'EventID') === null ||
    !(recordNumber > 0) ||
    Number.isNaN(at.getTime())
  ) {
    return null
  }
  const data = [...after.matchAll(/<Data\b[^>]*?(?:\/>|>([\s\S]*?)<\/Data>)/g)].map(([, value = '']) =>
    unescapeXml(value),
  )
  const level = Number(text(system, 'Level') ?? 0)
  return { log: text(system, 'Channel') ?? '', recordNumber, id, provider, level, at, data }
}

function text(xml: string, name: string): string | null {
  const found = new RegExp(`<${name}\\b[^>]*>([\\s\\S]*?)</${name}>`).exec(xml)?.[1]
  return found === undefined ? null : unescapeXml(found)
}

function attribute(xml: string, element: string, name: string): string | null {
  const tag = new RegExp(`<${element}\\b[^>]*>`).exec(xml)?.[0] ?? ''
  const found = new RegExp(`\\s${name}=(?:'([^']*)'|"([^"]*)")`).exec(tag)
  return found === null ? null : unescapeXml(found[1] ?? found[2] ?? '')
}

function unescapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
  return text.replace(
    /&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/g,
    (_, name, decimal, hex) => {
      if (name !== undefined) {
        return entities[name as string] ?? ''
      }
      const point = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal)
      return point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd'
    },
  )
}
