import { z } from 'zod'
import { parseMomentMs } from './moment.js'
import { parseDurationMs, parseSizeBytes } from './units.js'
import { parseRange, parseVersion } from './version.js'

const idPattern = /^[a-z0-9][a-z0-9._-]*$/
const maxIdLength = 64

/** Names used in identities, file names and host objects: lower case, digits, `.`, `_`, `-`. */
export const id = z
  .string()
  .regex(idPattern, 'expected a name of lower-case letters, digits, ".", "_" and "-", such as "kvm-1"')
  .max(maxIdLength, `expected a name of at most ${maxIdLength} letters`)

export const text = z.string().min(1, 'expected a text that is not empty')

export const duration = z
  .string()
  .refine(value => parseDurationMs(value) !== null, 'expected a duration such as "90s", "10m" or "1h30m"')
  .meta({ description: 'A duration: 250ms, 90s, 10m, 1h30m' })

export const size = z
  .string()
  .refine(value => parseSizeBytes(value) !== null, 'expected a size such as "4GiB" or "512MiB"')
  .meta({ description: 'A size: 512MiB, 4GiB' })

export const moment = z
  .string()
  .refine(
    value => parseMomentMs(value) !== null,
    'expected a day such as "2026-12-24" (its end in UTC) or a moment with its zone such as "2026-12-24T18:00Z"',
  )
  .meta({ description: 'A day, whose end in UTC is meant, or a moment with its zone: 2026-12-24T18:00Z' })

export const version = z
  .string('expected a version in quotes, such as "9.6": without them YAML reads 5.10 as 5.1')
  .refine(
    value => parseVersion(value) !== null,
    'expected a version such as "9.6", "11 SP4" or "2008 R2 SP1"',
  )

export const range = z
  .string('expected a version range in quotes, such as ">=5.4, <7"')
  .refine(
    value => parseRange(value) !== null,
    'expected a version range such as ">=5.4, <7" or "2008 || 2008 R2"',
  )

export const count = z.int('expected a whole number').min(1, 'expected at least 1')

const literalSecret =
  'a secret stands in no file: expected a reference, "env:NAME" or "file:PATH" (the text is not shown here)'

/** A reference to a secret; a literal one is refused and never repeated in the message. */
export const secret = z
  .string(literalSecret)
  .regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/, literalSecret)
  .meta({ description: 'A secret by reference: env:NAME or file:PATH' })

export const privateKey = z
  .string()
  .regex(
    /^(agent|agent:.+|image|env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/,
    'expected "agent", "agent:KEY" (a fingerprint "SHA256:…", a comment or a PATH.pub), "image", "file:PATH" or "env:NAME"',
  )

export const hostKey = z
  .string()
  .regex(
    /^(SHA256:[A-Za-z0-9+/]{43}=?|known_hosts(:.+)?|accept-new|image)$/,
    'expected a fingerprint "SHA256:…" (43 characters), "known_hosts", "known_hosts:PATH", "accept-new" or "image"',
  )

/** A certificate's fingerprint as `openssl x509 -noout -fingerprint -sha256` prints it, with or without colons. */
export const certificate = z
  .string()
  .regex(
    /^SHA256:([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$/,
    'expected "SHA256:" and the 64 hexadecimal digits that "openssl x509 -noout -fingerprint -sha256" prints',
  )

/** One value or a list of them. */
export function oneOrMore<T extends z.ZodType>(item: T): z.ZodUnion<[T, z.ZodArray<T>]> {
  return z.union([item, z.array(item).min(1, 'expected at least one')])
}
