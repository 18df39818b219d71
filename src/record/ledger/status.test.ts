import t from 'tap'
import { digestOf } from '../canonical.js'
import { catalogueOf } from '../catalogue/build.js'
import type { LoadedPolicy } from '../policy/load.js'
import { harness, samplePolicy, sampleStatement, suiteDigest } from '../sample.test.fixture.js'
import { certificateFor, decideAll, decisionStatement, policyStatement } from './decisions.js'
import { type CertificatePredicate, type DecisionPredicate, entrySubject, statementAbout } from './entries.js'
import { readRecord } from './read.js'
import { type SampleRecord, sampleRecord } from './record.test.fixture.js'
import { standingsOf } from './status.js'

const nowMs = Date.parse('2026-11-30T12:00:00Z')
const kit = { harness: [harness], suites: { guestcert: [suiteDigest], core: [suiteDigest] } }
const policy = samplePolicy({ registered: false, reproduction: 'optional' })
const loaded: LoadedPolicy = { policy, digest: digestOf(policy) }

/** A record with a run, and what these parties decide about it. */
async function decidedBy(
  t: Parameters<typeof sampleRecord>[0],
  parties: readonly ('a' | 'b')[],
  decides: LoadedPolicy = loaded,
): Promise<{ readonly record: SampleRecord; readonly decisions: readonly string[]; readonly run: string }> {
  const record = await sampleRecord(t)
  const run = await record.add('run', sampleStatement(), 'a')
  const decisions: string[] = []
  for (const party of parties) {
    const read = await readRecord(record.folder)
    const recorded = policyStatement(decides, read)
    if (recorded !== null) await record.add('policy', recorded.statement, party)
    const [decided] = await decideAll(read, { policy: decides.policy, kit, nowMs })
    if (decided === undefined) throw new Error('nothing was decided')
    const { statement, cites } = decisionStatement(decided, decides, `vendor-${party}`, read)
    decisions.push((await record.add('decision', statement, party, cites)).leaf)
  }
  return { record, decisions, run: run.leaf }
}

function certificate(changes: Partial<CertificatePredicate>): CertificatePredicate {
  return {
    at: '2026-11-30T12:00:00.000Z',
    number: 'GC-2026-00000000',
    pairing: 'debian-12-on-debian-12',
    title: 'Debian 12 on Debian 12 with KVM',
    level: 'self-attested',
    validUntil: '2026-12-30T12:00:00.000Z',
    policy: { name: 'sample', version: '1.0.0', digest: loaded.digest },
    carry: 'none',
    decisions: [],
    runs: [],
    support: { first: 'vendor-a', second: 'vendor-b' },
    ...changes,
  }
}

async function stateWith(record: SampleRecord, predicate: CertificatePredicate): Promise<string | undefined> {
  await record.add('certificate', statementAbout('certificate', [], predicate), 'a', predicate.decisions)
  return standingsOf(await readRecord(record.folder), nowMs)[0]?.state
}

t.test('a certificate that every party of its policy has decided stands', async t => {
  const { record } = await decidedBy(t, ['a', 'b'])
  const read = await readRecord(record.folder)
  const [decided] = await decideAll(read, { policy, kit, nowMs })
  const made = decided === undefined ? null : certificateFor(decided, loaded, read)
  if (made === null) throw new Error('there is no certificate')
  await record.add('certificate', made.statement, 'a', made.cites)
  t.match(standingsOf(await readRecord(record.folder), nowMs), [{ state: 'self-attested' }])
})

t.test('support that has ended makes a certificate historic, and not void', async t => {
  const supported = samplePolicy(
    { registered: false, reproduction: 'optional' },
    { supportEnds: { guest: '2026-12-31', hypervisor: '2030-12-31' } },
  )
  const own = { policy: supported, digest: digestOf(supported) }
  const { record } = await decidedBy(t, ['a', 'b'], own)
  const read = await readRecord(record.folder)
  const [decided] = await decideAll(read, { policy: supported, kit, nowMs })
  const made = decided === undefined ? null : certificateFor(decided, own, read)
  if (made === null) throw new Error('there is no certificate')
  const { leaf } = await record.add('certificate', made.statement, 'a', made.cites)
  const at = async (text: string) => standingsOf(await readRecord(record.folder), Date.parse(text))[0]
  t.match(await at('2026-12-31T23:59:59Z'), { state: 'self-attested', why: [] })
  const ended = await at('2027-01-01T00:00:00Z')
  t.match(ended, { state: 'historic', why: ['support has ended: that of the guest on 2026-12-31'] })
  t.type(ended?.number, 'string', 'it keeps its number')
  const pages = catalogueOf(await readRecord(record.folder), Date.parse('2027-01-01T00:00:00Z'))
  const page = (path: string): string => pages.find(one => one.path === path)?.content ?? ''
  t.match(page('index.html'), />historic</)
  t.match(page('debian-12-on-debian-12.html'), /support has ended: that of the guest on 2026-12-31/)
  t.match(JSON.parse(page('catalogue.json')), { pairings: [{ state: 'historic' }] })
  const remark = statementAbout('revocation', [entrySubject(leaf)], { at: '2026-12-01', why: 'a fault' })
  await record.add('revocation', remark, 'b', [leaf])
  t.match(await at('2027-01-01T00:00:00Z'), { state: 'revoked', why: [/a fault/, /support has ended/] })
})

t.test('names that could be paths or markup are neither', async t => {
  const hostile = samplePolicy(
    { registered: false, reproduction: 'optional' },
    { title: '<script>alert(1)</script>' },
  )
  const own = { policy: hostile, digest: digestOf(hostile) }
  const { record } = await decidedBy(t, ['a', 'b'], own)
  const read = await readRecord(record.folder)
  const [decided] = await decideAll(read, { policy: hostile, kit, nowMs })
  const made = decided === undefined ? null : certificateFor(decided, own, read)
  if (made === null || decided === undefined) throw new Error('there is no certificate')
  await record.add('certificate', made.statement, 'a', made.cites)
  // Any party may sign what it likes: here a decision about a pairing whose page would stand elsewhere.
  const { statement, cites } = decisionStatement(decided, own, 'vendor-b', read)
  const predicate = statement.predicate as DecisionPredicate
  const guestcert = { ...predicate.guestcert, pairing: '../../../etc/cron.d/x' }
  await record.add('decision', { ...statement, predicate: { ...predicate, guestcert } }, 'b', cites)
  const pages = catalogueOf(await readRecord(record.folder), nowMs)
  t.same(
    pages.map(({ path }) => path),
    ['index.html', 'debian-12-on-debian-12.html', 'waivers.html', 'catalogue.json'],
  )
  for (const { path, content } of pages.filter(one => one.path.endsWith('.html'))) {
    t.notMatch(content, /<script/, path)
  }
  t.match(pages[0]?.content, /&lt;script&gt;/)
})

t.test('a certificate that one party writes alone says nothing', async t => {
  const { record, decisions, run } = await decidedBy(t, ['a'])
  t.equal(await stateWith(record, certificate({ decisions, runs: [run] })), 'not certified')
})

t.test('a certificate that says more than its decisions says nothing', async t => {
  const cheats: readonly Partial<CertificatePredicate>[] = [
    { level: 'certified' },
    { validUntil: '2099-12-30T12:00:00.000Z' },
    { validUntil: 'for ever' },
    { runs: [] },
    { runs: ['0'.repeat(64)] },
    { policy: { name: 'sample', version: '1.0.0', digest: '0'.repeat(64) } },
  ]
  const { record, decisions, run } = await decidedBy(t, ['a', 'b'])
  for (const cheat of cheats) {
    const state = await stateWith(record, certificate({ decisions, runs: [run], ...cheat }))
    t.equal(state, 'not certified', JSON.stringify(cheat))
  }
  t.equal(await stateWith(record, certificate({ decisions, runs: [run] })), 'self-attested')
})

t.test('decisions by another policy warrant nothing', async t => {
  const lenient = samplePolicy({ registered: false, reproduction: 'optional', version: '0.9.0' })
  const { record, decisions, run } = await decidedBy(t, ['a', 'b'], {
    policy: lenient,
    digest: digestOf(lenient),
  })
  const recorded = policyStatement(loaded, await readRecord(record.folder))
  if (recorded === null) throw new Error('the policy is there already')
  await record.add('policy', recorded.statement, 'a')
  t.equal(await stateWith(record, certificate({ decisions, runs: [run] })), 'not certified')
})
