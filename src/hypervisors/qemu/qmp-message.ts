/** What QEMU sends over its machine protocol (QMP): one JSON object a line. */
export type QmpMessage =
  | { readonly kind: 'greeting'; readonly version: string }
  | { readonly kind: 'return'; readonly id: number | null; readonly value: unknown }
  | {
      readonly kind: 'error'
      readonly id: number | null
      readonly class: string
      readonly description: string
    }
  | { readonly kind: 'event'; readonly event: QmpEvent }

export interface QmpEvent {
  readonly name: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A line longer than this is not an answer to anything we ask. */
const maxLineBytes = 8 * 1024 * 1024

/** Cuts a stream into lines; the rest waits for its end. Throws when a line will not end. */
export function createLineCutter(): (chunk: Buffer) => string[] {
  let pending: Buffer = Buffer.alloc(0)
  return chunk => {
    pending = Buffer.concat([pending, chunk])
    const lines: string[] = []
    for (let end = pending.indexOf(10); end !== -1; end = pending.indexOf(10)) {
      lines.push(pending.subarray(0, end).toString('utf8').trim())
      pending = pending.subarray(end + 1)
    }
    if (pending.length > maxLineBytes) {
      throw new Error(`a QMP line has more than ${maxLineBytes} bytes`)
    }
    return lines.filter(line => line !== '')
  }
}

/** Reads one line; `null` for what is not a QMP message. */
export function parseQmpLine(line: string): QmpMessage | null {
  const message = parseObject(line)
  if (message === null) {
    return null
  }
  const id = typeof message.id === 'number' ? message.id : null
  if ('return' in message) {
    return { kind: 'return', id, value: message.return }
  }
  if (isRecord(message.error)) {
    const { class: kind, desc } = message.error
    return { kind: 'error', id, class: String(kind), description: String(desc) }
  }
  if (typeof message.event === 'string') {
    return {
      kind: 'event',
      event: { name: message.event, data: isRecord(message.data) ? message.data : {} },
    }
  }
  return isRecord(message.QMP) ? { kind: 'greeting', version: versionOf(message.QMP) } : null
}

/** True for an object that is not a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line)
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}

function versionOf(greeting: Record<string, unknown>): string {
  const version = isRecord(greeting.version) ? greeting.version : {}
  const qemu = isRecord(version.qemu) ? version.qemu : {}
  const numbers = [qemu.major, qemu.minor, qemu.micro]
  return numbers.every(part => typeof part === 'number') ? numbers.join('.') : 'unknown'
}
