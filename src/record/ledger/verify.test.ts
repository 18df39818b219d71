import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { seal } from '../envelope/dsse.js'
import { append } from './append.js'
import { statementAbout } from './entries.js'
import { readRecord } from './read.js'
import { type SampleRecord, sampleRecord } from './record.test.fixture.js'
import { verifyRecord } from './verify.js'

/** The keeper of a log, who has its key, tells readers different things: only a head from elsewhere shows that. */

const at = '2026-11-22T10:00:00.000Z'
const bundle = (size: number): string => `tile/entries/000.p/${size}`

async function write(record: SampleRecord, folder: string, ...texts: string[]): Promise<void> {
  for (const why of texts) {
    const envelope = seal(statementAbout('rejection', [], { at, why }), record.keys.a)
    await append({ ...record.writer, folder }, [{ kind: 'rejection', envelope, cites: [] }])
  }
}

async function copyOf(t: Test, folder: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'gc-copy-'))
  t.teardown(() => rm(copy, { recursive: true, force: true }))
  await cp(folder, copy, { recursive: true })
  return copy
}

/** What is found in a record, by somebody who remembers a head or does not. */
async function flawsIn(folder: string, head?: string): Promise<string[]> {
  const found = await verifyRecord(await readRecord(folder), {
    ...(head === undefined ? {} : { head }),
    readSource: async () => null,
    harnessDigest: '',
  })
  return found.flaws.map(({ why }) => why)
}

t.test('a head that is remembered shows what became of the entries below it', async t => {
  const record = await sampleRecord(t)
  const empty = await copyOf(t, record.folder)
  await write(record, record.folder, 'one', 'two')
  const older = await copyOf(t, record.folder)
  await write(record, record.folder, 'three')
  const head = join(record.folder, 'checkpoint')
  t.same(await flawsIn(record.folder, head), [])
  t.same(await flawsIn(older), [], 'an older head is signed as well')
  t.match(await flawsIn(older, head), [/^the record was rolled back: it has 2 entries, and had 3$/])

  const told: Readonly<Record<string, readonly [string[], RegExp]>> = {
    'an entry is dropped': [['one', 'three'], /rolled back/],
    'an entry is dropped, and another one added': [['one', 'three', 'four'], /forked/],
    'entries are reordered': [['one', 'three', 'two'], /forked/],
    'an entry is replaced': [['one', 'two', 'another'], /forked/],
    'another reader got another head': [['one', 'two', 'another', 'four'], /forked: its first 3 entries/],
  }
  for (const [cheat, [texts, why]] of Object.entries(told)) {
    const folder = await copyOf(t, empty)
    await write(record, folder, ...texts)
    t.same(await flawsIn(folder), [], `${cheat}: by itself it is whole`)
    t.match(await flawsIn(folder, head), [why], cheat)
    await mkdir(join(folder, 'heads'))
    await writeFile(join(folder, 'heads/3'), await readFile(head))
    t.match(await flawsIn(folder), [why], `${cheat}: a head that is kept shows it as well`)
  }
  const honest = await copyOf(t, empty)
  await write(record, honest, 'one', 'two', 'three', 'four')
  t.same(await flawsIn(honest, head), [], 'what was only added to holds')
})

t.test('two branches of a record that were merged by hand do not come to one head', async t => {
  const record = await sampleRecord(t)
  await write(record, record.folder, 'one')
  const branch = await copyOf(t, record.folder)
  await write(record, record.folder, 'ours')
  await write(record, branch, 'theirs')
  await cp(join(branch, 'objects'), join(record.folder, 'objects'), { recursive: true })
  await cp(join(branch, bundle(2)), join(record.folder, bundle(2)))
  const { flaws } = await readRecord(record.folder)
  t.match(flaws[0], { file: bundle(2), why: /^entry 1 is not the one whose hash the log holds$/ })
  await cp(join(branch, 'tile'), join(record.folder, 'tile'), { recursive: true })
  t.match((await readRecord(record.folder)).flaws[0], { file: 'checkpoint' })
})

t.test('entries that somebody without the key drops, or puts in another order, are named', async t => {
  const record = await sampleRecord(t)
  await write(record, record.folder, 'one', 'two')
  const file = join(record.folder, bundle(2))
  const whole = await readFile(file)
  const end = 2 + whole.readUInt16BE(0)
  const [first, second] = [whole.subarray(0, end), whole.subarray(end)]
  for (const changed of [first, Buffer.concat([second, first]), Buffer.concat([first, first])]) {
    await writeFile(file, changed)
    t.ok((await readRecord(record.folder)).flaws.some(flaw => flaw.file === bundle(2)))
  }
  await writeFile(file, whole)
  t.same(await flawsIn(record.folder), [])
})
