/** What an attribute says of the generation of a lease that it keeps. */
export interface LeaseRecord {
  readonly state: 'held' | 'released'
  readonly id: string
  /** By the server's clock. */
  readonly untilSec: number
  readonly ttlSec: number
  readonly everySec: number
  readonly renewal: number
  /** All of it as it was written, with whose it is, for people. */
  readonly text: string
}

/** A vCenter's attributes hold 255 letters: names for people are cut, whole records are not. */
const longestName = 32

/** Writes a record; `about` are lines of a key, a blank and a text. */
export function writeRecord(
  record: Omit<LeaseRecord, 'text'> & { readonly about: readonly string[] },
): string {
  const { state, id, untilSec, ttlSec, everySec, renewal, about } = record
  const lines = about.map(line => {
    const [key = '', ...words] = line.split(' ')
    const text = words.join(' ')
    return `${key} ${key === 'run' ? text : text.slice(0, longestName)}`
  })
  const numbers = [`until ${untilSec}`, `ttl ${ttlSec}`, `every ${everySec}`, `renewal ${renewal}`]
  return [`state ${state}`, `id ${id}`, ...numbers, ...lines, 'end'].join('\n')
}

/** Reads a record; `null` when it is not whole: written by half, or by somebody else. */
export function readRecord(text: string): LeaseRecord | null {
  const lines = text.split('\n').map(line => line.trim())
  const fields = new Map(lines.map(line => [line.replace(/ .*/s, ''), line.replace(/^\S+ ?/, '')] as const))
  const [untilSec, ttlSec, everySec, renewal] = ['until', 'ttl', 'every', 'renewal'].map(key => {
    const digits = fields.get(key) ?? ''
    return /^\d{1,11}$/.test(digits) ? Number(digits) : null
  })
  const [state, id] = [fields.get('state'), fields.get('id')]
  const isWhole = lines.at(-1) === 'end' && (state === 'held' || state === 'released') && id !== undefined
  if (!isWhole || untilSec == null || ttlSec == null || everySec == null || renewal == null) {
    return null
  }
  return { state, id, untilSec, ttlSec, everySec, renewal, text }
}
