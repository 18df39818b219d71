import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { stringify } from 'yaml'
import { seal } from '../envelope/dsse.js'
import type { TrustFile } from '../envelope/trust.js'
import { noteTypes, parseVerifierKey, verifierKeyText } from '../log/note-keys.js'
import type { InTotoStatement } from '../statement/types.js'
import { type Appended, append, beginLog, type LogWriter } from './append.js'

const origin = 'example.org/record'

/** A record in a folder of its own, with keys of two vendors and a policy's owner. */
export interface SampleRecord {
  readonly folder: string
  readonly writer: LogWriter
  readonly keys: Readonly<Record<'a' | 'b' | 'owner' | 'log' | 'witness', KeyObject>>
  add(
    kind: string,
    statement: InTotoStatement,
    by: 'a' | 'b' | 'owner',
    cites?: readonly string[],
  ): Promise<Appended>
}

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()

/** Begins such a record; it is removed with the test. */
export async function sampleRecord(t: Pick<Test, 'teardown'>): Promise<SampleRecord> {
  const folder = await mkdtemp(join(tmpdir(), 'gc-record-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const pairs = {
    a: generateKeyPairSync('ed25519'),
    b: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    owner: generateKeyPairSync('ed25519'),
    log: generateKeyPairSync('ed25519'),
    witness: generateKeyPairSync('ed25519'),
  }
  const times = { from: '2026-01-01', until: '2030-01-01' }
  const trust: TrustFile = {
    trust: 'sample',
    version: 1,
    log: { origin, key: verifierKeyText(origin, pairs.log.publicKey) },
    witnesses: [
      { party: 'vendor-b', key: verifierKeyText('vendor-b', pairs.witness.publicKey, noteTypes.witness) },
    ],
    keys: {
      a: { party: 'vendor-a', roles: ['lab'], key: pem(pairs.a.publicKey), ...times },
      b: { party: 'vendor-b', roles: ['lab', 'reviewer'], key: pem(pairs.b.publicKey), ...times },
      owner: { party: 'vendor-a', roles: ['policy-owner'], key: pem(pairs.owner.publicKey), ...times },
    },
  }
  await writeFile(join(folder, 'record.yaml'), stringify({ record: 'sample', party: 'vendor-a' }))
  await writeFile(join(folder, 'trust.yaml'), stringify(trust))
  const verifier = parseVerifierKey(trust.log.key)
  if (verifier === null) throw new Error('no verifier')
  const writer = { folder, origin, key: pairs.log.privateKey, verifier }
  await beginLog(writer)
  const keys = Object.fromEntries(Object.entries(pairs).map(([name, { privateKey }]) => [name, privateKey]))
  return {
    folder,
    writer,
    keys: keys as SampleRecord['keys'],
    add: async (kind, statement, by, cites = []) => {
      const [appended] = await append(writer, [
        { kind, envelope: seal(statement, pairs[by].privateKey), cites },
      ])
      if (appended === undefined) throw new Error('nothing was appended')
      return appended
    },
  }
}
