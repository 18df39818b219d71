import { readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { statementAbout } from './entries.js'
import { withLock } from './lock.js'
import { readRecord } from './read.js'
import { sampleRecord } from './record.test.fixture.js'

const remark = (text: string) =>
  statementAbout('rejection', [], { at: '2026-11-22T10:00:00.000Z', why: text })

t.test('recording something twice is one entry, whichever key signs', async t => {
  const record = await sampleRecord(t)
  const first = await record.add('rejection', remark('one'), 'b')
  const again = await record.add('rejection', remark('one'), 'b')
  t.match(first, { index: 0, isNew: true })
  t.match(again, { index: 0, isNew: false, leaf: first.leaf })
  const { entries, flaws } = await readRecord(record.folder)
  t.same(flaws, [])
  t.equal(entries.length, 1)
  t.same(
    entries[0]?.signers.map(({ party }) => party),
    ['vendor-b'],
  )
})

t.test('nothing is lost when many append at once', async t => {
  const record = await sampleRecord(t)
  const texts = Array.from({ length: 24 }, (_, index) => `remark ${index}`)
  const appended = await Promise.all(texts.map(text => record.add('rejection', remark(text), 'a')))
  t.same(
    appended.map(({ index }) => index).sort((a, b) => a - b),
    texts.map((_, index) => index),
  )
  const { entries, flaws } = await readRecord(record.folder)
  t.same(flaws, [])
  t.equal(entries.length, texts.length)
})

t.test('a flipped byte is named, wherever it is', async t => {
  const record = await sampleRecord(t)
  for (const text of ['one', 'two', 'three']) await record.add('rejection', remark(text), 'a')
  const all = await readdir(record.folder, { recursive: true, withFileTypes: true })
  const files = all
    .filter(file => file.isFile() && !file.name.endsWith('.yaml'))
    .map(file => join(file.parentPath, file.name))
  t.ok(files.length >= 6, files.join(' '))
  for (const file of files) {
    const bytes = await readFile(file)
    for (const at of [0, Math.floor(bytes.length / 2), bytes.length - 1]) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      await writeFile(file, changed)
      const { flaws, entries } = await readRecord(record.folder)
      const name = file.slice(record.folder.length + 1)
      const isUnsigned = entries.some(entry => entry.signers.length === 0)
      t.ok(
        flaws.some(flaw => flaw.file === name) || isUnsigned,
        `${name} byte ${at}: ${JSON.stringify(flaws)}`,
      )
    }
    await writeFile(file, bytes)
  }
  t.same((await readRecord(record.folder)).flaws, [])
})

t.test('a damaged record is not written to', async t => {
  const record = await sampleRecord(t)
  await record.add('rejection', remark('one'), 'a')
  await rm(join(record.folder, 'tile/0'), { recursive: true })
  await t.rejects(
    record.add('rejection', remark('two'), 'a'),
    /is damaged, in tile\/0\/000\.p\/1: it is not there/,
  )
})

t.test('an empty lock is named, and not waited for', async t => {
  const record = await sampleRecord(t)
  const lock = join(record.folder, '.lock')
  await writeFile(lock, '')
  await utimes(lock, 0, 0)
  await t.rejects(record.add('rejection', remark('one'), 'a'), {
    message:
      /\.lock is empty: a program that was stopped has left it\. Remove it if nobody writes to the record$/,
  })
  await rm(lock)
  t.equal((await record.add('rejection', remark('one'), 'a')).isNew, true)
})

t.test('who lost the lock to another writes no head', async t => {
  const record = await sampleRecord(t)
  await t.rejects(
    withLock(record.folder, async lock => {
      await writeFile(join(record.folder, '.lock'), 'elsewhere 1\n')
      await lock.check()
    }),
    /is written to by another program \(elsewhere 1\)/,
  )
  t.equal(
    await readFile(join(record.folder, '.lock'), 'utf8'),
    'elsewhere 1\n',
    'the lock of the other stays',
  )
})

t.test('a lock of a process that has ended is nobody’s', async t => {
  const record = await sampleRecord(t)
  const { hostname } = await import('node:os')
  await writeFile(join(record.folder, '.lock'), `${hostname()} 4194304\n`)
  t.equal((await record.add('rejection', remark('one'), 'a')).isNew, true)
})
