import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { decide } from '../decision/decide.js'
import { parseCheckpoint } from '../log/checkpoint.js'
import { cosignNote, formatNote } from '../log/note.js'
import type { Policy } from '../policy/schema.js'
import {
  harness,
  type SampleChanges,
  samplePolicy,
  sampleRun,
  sampleStatement,
  suiteDigest,
} from '../sample.test.fixture.js'
import type { RunStatement } from '../statement/types.js'
import { casesOf } from './cases.js'
import { entrySubject, pairingsOf, statementAbout } from './entries.js'
import { readRecord } from './read.js'
import { type SampleRecord, sampleRecord } from './record.test.fixture.js'

const nowMs = Date.parse('2026-11-30T12:00:00Z')
const kit = { harness: [harness], suites: { guestcert: [suiteDigest], core: [suiteDigest] } }

async function register(
  record: SampleRecord,
  nonce: string,
  by: 'a' | 'b' = 'a',
  changes: SampleChanges = {},
): Promise<string> {
  const { predicate } = sampleStatement(changes)
  const registration = statementAbout('registration', [], {
    at: '2026-11-22T10:14:00.000Z',
    nonce,
    planDigest: predicate.planDigest,
    planExpected: predicate.planExpected,
    harnessDigest: harness,
    pairings: pairingsOf(sampleRun(changes).plan),
  })
  return (await record.add('registration', registration, by)).leaf
}

/** The run of a registration, as its journal would have it. */
function runOf(registration: string, changes: SampleChanges = {}): RunStatement {
  const statement = sampleStatement(changes)
  const run = `20261122-101500-${registration.slice(0, 12)}`
  return { ...statement, predicate: { ...statement.predicate, registration, run } }
}

async function decided(record: SampleRecord, policy: Policy = samplePolicy()) {
  const [pairing] = policy.pairings
  if (pairing === undefined) throw new Error('no pairing')
  return decide(await casesOf({ record: await readRecord(record.folder), policy, pairing, kit, nowMs }))
}

const codesOf = async (record: SampleRecord, policy?: Policy): Promise<string[]> =>
  (await decided(record, policy)).reasons.map(({ code }) => code)

async function challenged(record: SampleRecord, run: string, by: 'a' | 'b' = 'b'): Promise<string> {
  const challenge = statementAbout('challenge', [entrySubject(run)], {
    at: '2026-11-23T10:00:00.000Z',
    tests: ['core/memory'],
    nonce: 'n',
  })
  return (await record.add('challenge', challenge, by, [run])).leaf
}

async function answered(record: SampleRecord, challenge: string, run: string): Promise<void> {
  const answer = statementAbout('answer', [entrySubject(challenge), entrySubject(run)], {
    at: '2026-11-24T10:00:00.000Z',
    why: '',
  })
  await record.add('answer', answer, 'a', [challenge, run])
}

t.test('a registered run, challenged by the other party and answered, is certified', async t => {
  const record = await sampleRecord(t)
  const first = await register(record, 'one')
  const run = await record.add('run', runOf(first), 'a', [first])
  t.same(await codesOf(record), ['not-reproduced'])
  const challenge = await challenged(record, run.leaf)
  const second = await register(record, 'two')
  t.same(await codesOf(record), ['row', 'not-reproduced'], 'a run that was registered and not added is open')
  const rerun = await record.add('run', runOf(second), 'a', [second])
  await answered(record, challenge, rerun.leaf)
  t.match(await decided(record), { certifies: true, level: 'certified', reasons: [] })
})

t.test(
  'an answer counts for a sample that was chosen after submission, and passed in a later run',
  async t => {
    const record = await sampleRecord(t)
    const first = await register(record, 'one')
    const early = await register(record, 'two')
    const run = await record.add('run', runOf(first), 'a', [first])
    const before = await record.add('run', runOf(early), 'a', [early])
    const challenge = await challenged(record, run.leaf)
    await answered(record, challenge, before.leaf)
    t.same(await codesOf(record), ['not-reproduced'], 'the run was registered before the challenge')
    const third = await register(record, 'three')
    const failing = await record.add('run', runOf(third, { verdicts: { 'core/memory': 'fail' } }), 'a', [
      third,
    ])
    await answered(record, challenge, failing.leaf)
    t.same(await codesOf(record), ['row', 'not-reproduced'], 'the sample failed')
  },
)

t.test('nobody challenges himself', async t => {
  const record = await sampleRecord(t)
  const first = await register(record, 'one')
  const run = await record.add('run', runOf(first), 'a', [first])
  const challenge = await challenged(record, run.leaf, 'a')
  const second = await register(record, 'two')
  const rerun = await record.add('run', runOf(second), 'a', [second])
  await answered(record, challenge, rerun.leaf)
  t.same(await codesOf(record), ['not-reproduced'])
})

t.test("the other party's own run reproduces it", async t => {
  const record = await sampleRecord(t)
  const theirs = await register(record, 'theirs', 'b')
  await record.add('run', runOf(theirs), 'b', [theirs])
  const ours = await register(record, 'ours')
  await record.add('run', runOf(ours), 'a', [ours])
  t.equal((await decided(record)).level, 'certified')
})

t.test('a run that failed between breaks the row, and so does one that was never added', async t => {
  const policy = samplePolicy({ row: 2, reproduction: 'optional' })
  const record = await sampleRecord(t)
  const failed = await register(record, 'failed')
  await record.add('run', runOf(failed, { verdicts: { 'core/memory': 'fail' } }), 'a', [failed])
  const first = await register(record, 'one')
  await record.add('run', runOf(first), 'a', [first])
  t.same(await codesOf(record, policy), ['row'])
  const second = await register(record, 'two')
  await record.add('run', runOf(second), 'a', [second])
  t.same(await codesOf(record, policy), [])
  await register(record, 'open')
  t.same(await codesOf(record, policy), ['row'])
})

t.test('a renamed guest does not begin afresh: what became of it before stands in the row', async t => {
  const policy = samplePolicy({ row: 2, reproduction: 'optional' })
  const [environment] = sampleRun().plan.environments
  if (environment === undefined) throw new Error('no environment')
  const renamed = { environment: { guest: { ...environment.guest, id: 'another-name' } } }
  for (const [verdict, codes] of [
    ['fail', ['row']],
    ['pass', []],
  ] as const) {
    const record = await sampleRecord(t)
    const first = await register(record, 'before')
    await record.add('run', runOf(first, { verdicts: { 'core/memory': verdict } }), 'a', [first])
    const second = await register(record, 'renamed', 'a', renamed)
    await record.add('run', runOf(second, renamed), 'a', [second])
    t.same(await codesOf(record, policy), codes)
  }
})

t.test('a rejection by a reviewer counts, and by anyone else it does not', async t => {
  const policy = samplePolicy({ reproduction: 'optional' })
  const record = await sampleRecord(t)
  const first = await register(record, 'one')
  const run = await record.add('run', runOf(first), 'b', [first])
  const remark = { at: '2026-11-25T10:00:00.000Z', why: 'the log is cut' }
  await record.add('rejection', statementAbout('rejection', [entrySubject(run.leaf)], remark), 'a', [
    run.leaf,
  ])
  t.notOk((await codesOf(record, policy)).includes('rejected'))
  const other = { ...remark, why: 'the image is another one' }
  await record.add('rejection', statementAbout('rejection', [entrySubject(run.leaf)], other), 'b', [run.leaf])
  t.ok((await codesOf(record, policy)).includes('rejected'))
})

t.test('a rejection is of the run that it was signed about, whatever the log says', async t => {
  const record = await sampleRecord(t)
  const first = await register(record, 'one')
  const [run, other] = [runOf(first), runOf(first, { verdicts: { 'core/memory': 'fail' } })]
  const failed = await record.add('run', other, 'a', [first])
  const passed = await record.add('run', run, 'a', [first])
  const remark = { at: '2026-11-25T10:00:00.000Z', why: 'it failed' }
  const statement = statementAbout('rejection', [entrySubject(failed.leaf)], remark)
  await record.add('rejection', statement, 'b', [passed.leaf])
  t.match((await readRecord(record.folder)).flaws, [{ why: /signed about other entries/ }])
})

t.test('a waiver counts when the policy’s owner has signed it, whoever is typed in', async t => {
  const policy = samplePolicy({ reproduction: 'optional' })
  const record = await sampleRecord(t)
  const first = await register(record, 'one')
  await record.add('run', runOf(first, { verdicts: { 'core/memory': 'fail' } }), 'a', [first])
  const waiver = {
    id: 'w-1',
    test: 'core/memory',
    guest: { product: 'debian', version: '12' },
    reason: 'known',
    link: 'https://bugs.example/1',
    owner: 'ann',
    approver: 'the policy owner',
    expires: '2026-12-24',
  }
  const waived = (at: string) => statementAbout('waiver', [], { at, waivers: [waiver] })
  await record.add('waiver', waived('2026-11-25T10:00:00.000Z'), 'a')
  t.same(await codesOf(record, policy), ['row', 'not-passed'])
  await record.add('waiver', waived('2026-11-26T10:00:00.000Z'), 'owner')
  t.match(await decided(record, policy), { certifies: true, waived: [{ waiver: 'w-1' }] })
})

t.test('a cosigned registration is one that another party saw before the run was added', async t => {
  const policy = samplePolicy({ reproduction: 'optional', cosigned: true })
  const record = await sampleRecord(t)
  const first = await register(record, 'one')
  const head = parseCheckpoint(await readFile(join(record.folder, 'checkpoint'), 'utf8'))
  if (head === null) throw new Error('no head')
  const cosignature = cosignNote(head.note.text, 'vendor-b', record.keys.witness, 1_795_000_000)
  await record.add('run', runOf(first), 'a', [first])
  t.same(await codesOf(record, policy), ['not-cosigned'])
  await mkdir(join(record.folder, 'heads'))
  const note = { ...head.note, signatures: [...head.note.signatures, cosignature] }
  await writeFile(join(record.folder, 'heads/1'), formatNote(note))
  t.same(await codesOf(record, policy), [])
})

const failing: SampleChanges = { verdicts: { 'core/identity': 'fail' } }

t.test('a run that failed is not put away as the answer to a challenge', async t => {
  const policy = samplePolicy({ reproduction: 'optional' })
  for (const by of ['a', 'b'] as const) {
    const record = await sampleRecord(t)
    const first = await register(record, 'one')
    const run = await record.add('run', runOf(first), 'a', [first])
    const challenge = await challenged(record, run.leaf, by)
    const second = await register(record, 'two')
    const failed = await record.add('run', runOf(second, failing), 'a', [second])
    await answered(record, challenge, failed.leaf)
    t.same(await codesOf(record, policy), ['row', 'not-passed'], `challenged by ${by}`)
  }
})

t.test('what certifies nothing reproduces nothing, and stands in no row', async t => {
  const emulated: SampleChanges = { environment: { emulated: true } }
  const slow: SampleChanges = { guestFacts: { 'kvm enabled': 'false' } }
  for (const changes of [emulated, slow, { hostFacts: null }, { isClosed: false }]) {
    const record = await sampleRecord(t)
    const theirs = await register(record, 'theirs', 'b')
    await record.add('run', runOf(theirs, changes), 'b', [theirs])
    const ours = await register(record, 'ours')
    const run = await record.add('run', runOf(ours), 'a', [ours])
    t.same(await codesOf(record), ['not-reproduced'], 'their own run')
    t.same(await codesOf(record, samplePolicy({ row: 2 })), ['row', 'not-reproduced'])
    const challenge = await challenged(record, run.leaf)
    const again = await register(record, 'again')
    const rerun = await record.add('run', runOf(again, changes), 'a', [again])
    await answered(record, challenge, rerun.leaf)
    t.same(await codesOf(record), ['row', 'not-reproduced'], 'a rerun')
  }
})

t.test('a run that was rejected reproduces nothing', async t => {
  const record = await sampleRecord(t)
  const theirs = await register(record, 'theirs', 'b')
  const run = await record.add('run', runOf(theirs), 'b', [theirs])
  const ours = await register(record, 'ours')
  await record.add('run', runOf(ours), 'a', [ours])
  t.same(await codesOf(record), [])
  const remark = { at: '2026-11-25T10:00:00.000Z', why: 'the image is another one' }
  await record.add('rejection', statementAbout('rejection', [entrySubject(run.leaf)], remark), 'b', [
    run.leaf,
  ])
  t.same(await codesOf(record), ['not-reproduced'])
})

t.test('a later "no" of an engineer takes back a "yes"', async t => {
  const policy = samplePolicy(
    { reproduction: 'optional' },
    { manual: [{ id: 'console', text: 'Is it there?' }] },
  )
  const record = await sampleRecord(t)
  const first = await register(record, 'one')
  const run = await record.add('run', runOf(first), 'a', [first])
  const say = async (answer: 'yes' | 'no', at: string): Promise<void> => {
    const said = { at, id: 'console', answer, by: 'ann', note: '' }
    await record.add('manual', statementAbout('manual', [entrySubject(run.leaf)], said), 'a', [run.leaf])
  }
  await say('yes', '2026-11-24T10:00:00.000Z')
  t.same(await codesOf(record, policy), [])
  await say('no', '2026-11-25T10:00:00.000Z')
  t.same(await codesOf(record, policy), ['manual'])
})

t.test('a suite whose name every object has is not a suite of the kit', async t => {
  const policy = samplePolicy({ reproduction: 'optional' }, { required: ['core/identity'] })
  const record = await sampleRecord(t)
  const first = await register(record, 'one')
  const statement = runOf(first)
  const tests = statement.predicate.tests.map(test => ({ ...test, suite: 'constructor' }))
  await record.add('run', { ...statement, predicate: { ...statement.predicate, tests } }, 'a', [first])
  t.same(await codesOf(record, policy), ['row', 'suite'])
})

t.test('a predicate of another form stops nobody’s decision', async t => {
  const policy = samplePolicy({ reproduction: 'optional' })
  const record = await sampleRecord(t)
  const first = await register(record, 'one')
  const run = await record.add('run', runOf(first), 'a', [first])
  await record.add('run', statementAbout('run', [], { closedAt: '2026-11-25T10:00:00.000Z' }), 'b')
  await record.add('registration', statementAbout('registration', [], { at: '2026-11-25T10:00:00Z' }), 'b')
  const challenge = { at: '2026-11-25T10:00:00.000Z' }
  await record.add('challenge', statementAbout('challenge', [entrySubject(run.leaf)], challenge), 'b', [
    run.leaf,
  ])
  t.same(await codesOf(record, policy), [])
})
