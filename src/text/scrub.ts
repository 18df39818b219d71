/** Removes from a text what tells the captured machine from another of its kind. */
export type Scrub = (text: string) => string

const nowhere = '192.0.2.1' // RFC 5737: addresses for documentation
const nowhere6 = '2001:db8::1' // RFC 3849
const hex = '[0-9a-f]'

const rules: readonly (readonly [pattern: RegExp, by: string])[] = [
  [
    new RegExp(`\\b${hex}{8}-${hex}{4}-${hex}{4}-${hex}{4}-${hex}{12}\\b`, 'gi'),
    '00000000-0000-0000-0000-000000000000',
  ],
  [new RegExp(`(?<![0-9a-f:])(?:${hex}{2}:){5}${hex}{2}(?![0-9a-f:])`, 'gi'), '00:00:00:00:00:00'],
  // As Windows writes them, and as Hyper-V does.
  [new RegExp(`(?<![0-9a-f-])(?:${hex}{2}-){5}${hex}{2}(?![0-9a-f-])`, 'gi'), '00-00-00-00-00-00'],
  [new RegExp(`\\b00155D${hex}{6}\\b`, 'gi'), '00155D000000'],
  [/\bS-1-5-21(?:-\d+){3}/g, 'S-1-5-21-0-0-0'],
  // A machine id, as in systemd.machine_id=…, and what else has its form.
  [new RegExp(`\\b${hex}{32}\\b`, 'gi'), '0'.repeat(32)],
  [/\b(?:naa|eui|t10)\.[0-9a-f]{16,32}\b/gi, 'naa.0000000000000000'],
  [/\bwwn-0x[0-9a-f]{16,32}\b/gi, 'wwn-0x0000000000000000'],
  [/\b(serial ?(?:number|no\.?)\s?[:=]\s?|serial=)(?!\d\b)[^\s,;]+/gi, '$1none'],
  [/\bSHA256:[A-Za-z0-9+/]{43}=?/g, 'SHA256:'],
  [/\b(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S+) AAAA[A-Za-z0-9+/=]+/g, 'a key'],
  [/(?<![0-9a-f:.])(?:[0-9a-f]{1,4}:){1,7}(?::[0-9a-f]{1,4}){1,7}(?![0-9a-f:])/gi, nowhere6],
  [/(?<![0-9a-f:.])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![0-9a-f:])/gi, nowhere6],
]

const address = /(?<![\d.])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?![\d.])/g

/**
 * Makes a scrubber for a machine with these names. Loopback and wildcard addresses stay, as do names that are
 * words of the product's own.
 */
export function makeScrub(names: readonly string[], words: readonly string[]): Scrub {
  const known = new Set(['localhost', 'linux', ...words].map(word => word.toLowerCase()))
  const short = names.flatMap(name => [name, name.split('.')[0] ?? name])
  const own = [...new Set(short)].filter(name => name.length > 1 && !known.has(name.toLowerCase()))
  // The longest first: a full name holds its short one. A disk's label is not a name of a machine.
  const patterns = own
    .sort((a, b) => b.length - a.length)
    .map(
      name =>
        new RegExp(`(?<!LABEL=)(?<![\\w-])${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`, 'gi'),
    )
  return text => {
    let clean = text
    for (const [pattern, by] of rules) {
      clean = clean.replace(pattern, by)
    }
    clean = clean.replace(address, (all: string, ...parts: string[]) => {
      const numbers = parts.slice(0, 4).map(Number)
      const isAddress = numbers.every(number => number <= 255)
      const isEverybodys = [0, 127, 255].includes(numbers[0] ?? 0)
      return isAddress && !isEverybodys ? nowhere : all
    })
    for (const pattern of patterns) {
      clean = clean.replace(pattern, 'localhost')
    }
    return clean
  }
}
