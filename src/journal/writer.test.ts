import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { JournalWriter } from './writer.js'

const ended = { type: 'environment-ended', environment: 'g@none-1/default' } as const

t.test('an event is in the file by the time its promise resolves', async t => {
  const path = join(t.testdir(), 'journal.ndjson')
  const writer = await JournalWriter.open({ path, epoch: 1, firstSeq: 1 })
  const [first, second] = await Promise.all([writer.append(ended), writer.append(ended)])
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
  t.same(
    lines.map(line => JSON.parse(line)),
    [first, second],
  )
  t.equal(second?.seq, 2)
  t.match(first?.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  await writer.close()
})

t.test('a writer stops when another session has written to its journal', async t => {
  const path = join(t.testdir(), 'journal.ndjson')
  const writer = await JournalWriter.open({ path, epoch: 1, firstSeq: 1 })
  await writer.append(ended)
  await appendFile(path, '{"type":"session-started","epoch":2}\n')
  await t.rejects(writer.append(ended), /another session/)
  await t.rejects(writer.append(ended), /another session/, 'and it never starts again')
  t.equal((await readFile(path, 'utf8')).trimEnd().split('\n').length, 2)
  await writer.close()
})

t.test('a full disk is said, and nothing after it is believed written', async t => {
  const writer = await JournalWriter.open({ path: '/dev/full', epoch: 1, firstSeq: 1 })
  await t.rejects(writer.append(ended), /journal cannot be written: .*ENOSPC/)
  await t.rejects(writer.append(ended), /journal cannot be written/)
  await writer.close()
})
