import { appendFile, cp, mkdir, open, readFile, rename, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readAll } from './reader.js'
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
  t.ok(writer.isGone, 'the folder is not its own any more')
  t.equal((await readFile(path, 'utf8')).trimEnd().split('\n').length, 2)
  await writer.close()
})

t.test('a session that goes on after a torn line leaves it torn, even where it looks whole', async t => {
  const path = join(t.testdir(), 'journal.ndjson')
  const first = await JournalWriter.open({ path, epoch: 1, firstSeq: 1 })
  await first.append(ended)
  await first.close()
  for (const torn of ['{"v":1,"se', JSON.stringify({ v: 1, seq: 2, epoch: 1, at: '', ms: 1, ...ended })]) {
    await appendFile(path, torn)
    const epoch = (await readAll(path)).length + 1
    const next = await JournalWriter.open({ path, epoch, firstSeq: epoch })
    await next.append({ type: 'session-started', session: `s${epoch}`, epoch, runner: 'here' })
    await next.close()
  }
  t.same(
    (await readAll(path)).map(({ type }) => type),
    ['environment-ended', 'session-started', 'session-started'],
  )
})

t.test('a journal that was removed or replaced is lost, and so is what comes after', async t => {
  const replaced = async (folder: string, path: string): Promise<void> => {
    await rename(folder, `${folder}-away`)
    await cp(`${folder}-away`, folder, { recursive: true })
    t.ok((await readFile(path)).length > 0, 'the other file is as long')
  }
  for (const [name, harm, why] of [
    ['removed', (_: string, path: string) => rm(path), /was removed/],
    ['folder', (folder: string) => rm(folder, { recursive: true }), /was removed/],
    ['moved', (folder: string) => rename(folder, `${folder}-away`), /was removed/],
    ['replaced', replaced, /was replaced/],
    ['cut', (_: string, path: string) => truncate(path, 10), /was cut/],
  ] as const) {
    const folder = join(t.testdir(), name)
    const path = join(folder, 'journal.ndjson')
    for (const atEnd of [false, true]) {
      await rm(folder, { recursive: true, force: true })
      await rm(`${folder}-away`, { recursive: true, force: true })
      await mkdir(folder, { recursive: true })
      const writer = await JournalWriter.open({ path, epoch: 1, firstSeq: 1 })
      await writer.append(ended)
      await harm(folder, path)
      const length = (await readFile(path).catch(() => '')).length
      if (!atEnd) await t.rejects(writer.append(ended), { name: 'InternalError', message: why }, name)
      if (atEnd) await t.rejects(writer.close(), { name: 'InternalError', message: why }, name)
      else await writer.close()
      t.equal(writer.isGone, name !== 'cut')
      t.equal((await readFile(path).catch(() => '')).length, length, 'nothing is written there')
    }
  }
})

t.test('a file system without fsync is said once; any other failure of it ends the journal', async t => {
  const probe = await open(process.execPath)
  const handles = Object.getPrototypeOf(probe) as { datasync: () => Promise<void> }
  await probe.close()
  const { datasync } = handles
  t.teardown(() => Object.assign(handles, { datasync }))
  const fail = (code: string): unknown =>
    Object.assign(handles, {
      datasync: () => Promise.reject(Object.assign(new Error(`${code}: fdatasync`), { code })),
    })
  for (const code of ['EINVAL', 'ENOTSUP', 'ENOSYS']) {
    fail(code)
    const said: string[] = []
    const path = join(t.testdir(), 'journal.ndjson')
    const onUnsynced = (text: string): unknown => said.push(text)
    const writer = await JournalWriter.open({ path, epoch: 1, firstSeq: 1, onUnsynced })
    await writer.append(ended)
    await writer.append(ended)
    await writer.close()
    t.same(said, [code])
    t.equal((await readFile(path, 'utf8')).trimEnd().split('\n').length, 2)
    await rm(path)
  }
  for (const code of ['EIO', 'ENOSPC', 'EDQUOT']) {
    fail(code)
    const writer = await JournalWriter.open({ path: join(t.testdir(), code), epoch: 1, firstSeq: 1 })
    await t.rejects(writer.append(ended), new RegExp(code))
    await writer.close()
  }
})

t.test('a full disk is said, and nothing after it is believed written', async t => {
  const writer = await JournalWriter.open({ path: '/dev/full', epoch: 1, firstSeq: 1 })
  await t.rejects(writer.append(ended), /journal cannot be written: .*ENOSPC/)
  await t.rejects(writer.append(ended), /journal cannot be written/)
  await writer.close()
})
