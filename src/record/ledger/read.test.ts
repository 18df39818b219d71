import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parse, stringify } from 'yaml'
import type { TrustFile } from '../envelope/trust.js'
import { sampleStatement } from '../sample.test.fixture.js'
import { statementAbout } from './entries.js'
import { readRecord } from './read.js'
import { sampleRecord } from './record.test.fixture.js'

t.test('a revoked key that backdates what it signs is found out by the log', async t => {
  const record = await sampleRecord(t)
  const statement = sampleStatement()
  const before = await record.add('run', statement, 'a')
  const path = join(record.folder, 'trust.yaml')
  const trust = parse(await readFile(path, 'utf8')) as TrustFile
  const revoked = { at: '2026-11-28', why: 'it was stolen' }
  const { a } = trust.keys
  if (a === undefined) throw new Error('there is no such key')
  const changed: TrustFile = { ...trust, version: 2, keys: { ...trust.keys, a: { ...a, revoked } } }
  await writeFile(path, stringify(changed))
  const backdated = {
    ...statement,
    predicate: { ...statement.predicate, run: '20261122-101500-aaaaaaaaaaaa' },
  }
  const signersOf = async (index: number) => (await readRecord(record.folder)).entries[index]?.signers.length
  const recorded = { at: '2026-11-28T10:00:00.000Z', digest: '', trust: changed }
  const noted = await record.add('trust', statementAbout('trust', [], recorded), 'b')
  const after = await record.add('run', backdated, 'a')
  t.equal(await signersOf(before.index), 1, 'what was recorded before it was revoked')
  t.equal(await signersOf(noted.index), 1)
  t.equal(await signersOf(after.index), 0, 'what was recorded later')
  await writeFile(path, stringify(trust))
  t.equal(await signersOf(after.index), 1, 'nobody is revoked by who records a trust file of their own')
})
