import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { UsageError } from '../../config/errors.js'
import { parseMomentMs } from '../../config/moment.js'
import { readChecked } from '../../config/read-checked.js'
import { id, moment, text } from '../../config/scalars.js'
import { digestOf } from '../canonical.js'
import { parseVerifierKey } from '../log/note-keys.js'
import { keyIdOf, readPublicKey } from './keys.js'

const verifierKey = z
  .string()
  .refine(value => parseVerifierKey(value) !== null, 'expected a verifier key such as "name+1a2b3c4d+AR…"')

const trustedKey = z.strictObject({
  party: id,
  roles: z
    .array(z.enum(['lab', 'reviewer', 'policy-owner']))
    .min(1)
    .meta({ description: 'What it may sign: runs, decisions, or policies and waivers' }),
  key: text.meta({ description: 'The public key in PEM' }),
  from: moment,
  until: moment,
  revoked: z
    .strictObject({
      at: moment,
      why: text,
      compromised: z
        .boolean()
        .optional()
        .meta({ description: 'True when nothing that it ever signed counts any more' }),
    })
    .optional(),
})

/** What a `trust.yaml` may hold: whose keys count for what. */
export const trustSchema = z.strictObject({
  trust: id,
  version: z.int().min(1),
  log: z.strictObject({ origin: text, key: verifierKey }),
  witnesses: z.array(z.strictObject({ party: id, key: verifierKey })).optional(),
  keys: z.record(id, trustedKey),
})

/** What is trusted. */
export type TrustFile = z.infer<typeof trustSchema>

/** What a key may sign. */
export type Role = TrustFile['keys'][string]['roles'][number]

/** A key of a trust file. */
export interface TrustedKey {
  readonly name: string
  readonly party: string
  readonly roles: readonly Role[]
  readonly key: KeyObject
  readonly fromMs: number
  readonly untilMs: number
  readonly revokedMs: number | null
}

/** A trust file with its keys by id. */
export interface Trust {
  readonly file: TrustFile
  readonly digest: string
  readonly keys: ReadonlyMap<string, TrustedKey>
}

/** Reads a trust file. @throws UsageError, ConfigError */
export async function loadTrust(path: string): Promise<Trust> {
  return trustOf(await readChecked(path, trustSchema), path)
}

/** A trust file that has been parsed. @throws UsageError when one of its keys cannot be used. */
export function trustOf(file: TrustFile, path: string): Trust {
  const keys = Object.entries(file.keys).map(([name, one]): readonly [string, TrustedKey] => {
    const key = readPublicKey(one.key, `${path}: the key "${name}"`)
    const revokedMs = one.revoked === undefined ? null : (parseMomentMs(one.revoked.at) ?? 0)
    return [
      keyIdOf(key),
      {
        name,
        party: one.party,
        roles: one.roles,
        key,
        fromMs: parseMomentMs(one.from) ?? Number.POSITIVE_INFINITY,
        untilMs: parseMomentMs(one.until) ?? 0,
        revokedMs: one.revoked?.compromised === true ? 0 : revokedMs,
      },
    ]
  })
  const twice = keys.find(([key], index) => keys.findIndex(([other]) => other === key) < index)
  // Revoked under one name and valid under another it would be both.
  if (twice !== undefined) throw new UsageError(`${path}: the key "${twice[1].name}" stands there twice`)
  return { file, digest: digestOf(file), keys: new Map(keys) }
}

/** Whether a key counted at a time: it was valid, and not yet revoked. */
export function isValidAt({ fromMs, untilMs, revokedMs }: TrustedKey, atMs: number): boolean {
  return atMs >= fromMs && atMs < untilMs && (revokedMs === null || atMs < revokedMs)
}
