import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../test/sample-run.js'
import { ConfigError, UsageError } from '../config/errors.js'
import type { JournalEvent } from './events.js'
import { readAll } from './reader.js'

const folder = await mkdtemp(join(tmpdir(), 'guestcert-reader-'))
t.teardown(() => rm(folder, { recursive: true }))

const environment = 'rhel5@rhel-kvm-9.6/bios'
const plan = samplePlan([sampleEnvironment(environment, [sampleTest('clock/drift')])])
const events = sampleJournal(plan).test(environment, 'clock/drift', 'pass').events
const text = events.map(event => `${JSON.stringify(event)}\n`)

let count = 0
async function written(content: string): Promise<string> {
  const path = join(folder, `${++count}.ndjson`)
  await writeFile(path, content)
  return path
}

t.test('every event is read, in order', async t => {
  t.same(await readAll(await written(text.join(''))), events)
})

t.test('a journal that was only just made is empty', async t => {
  t.same(await readAll(await written('')), [])
})

t.test('a last line without its end is torn, even if it looks whole', async t => {
  for (const torn of [text.at(-1)?.slice(0, 40), text.at(-1)?.trimEnd()]) {
    const lines: number[] = []
    const path = await written(text.slice(0, -1).join('') + torn)
    t.same(await readAll(path, { onTorn: line => lines.push(line) }), events.slice(0, -1))
    t.same(lines, [text.length])
  }
})

t.test('a last line of zeros, as a power cut leaves it, is torn', async t => {
  const lines: number[] = []
  const path = await written(`${text.join('')}\0\0\0\0\n`)
  t.same(await readAll(path, { onTorn: line => lines.push(line) }), events)
  t.same(lines, [text.length + 1])
})

t.test('a line that a dead runner tore is left out where a new session follows', async t => {
  const next: JournalEvent = {
    v: 1,
    seq: 9,
    epoch: 2,
    at: '2026-11-22T11:00:00.000Z',
    ms: 0,
    type: 'session-started',
    session: 's2',
    runner: 'runner-2',
  }
  const path = await written(`${text.join('')}{"v":1,"se\n${JSON.stringify(next)}\n`)
  t.same(await readAll(path), [...events, next])
})

t.test('any other bad line is an error that names the line', async t => {
  const cases: readonly (readonly [bad: string, why: RegExp])[] = [
    ['{"v":1,"se', /:3:1: the line is not JSON$/],
    ['[]', /:3:1: the line is not a JSON object$/],
    ['{"v":1}', /:3:1: the event has no 'type'$/],
    ['{"v":1,"type":"constructor"}', /:3:1: there is no event 'constructor'$/],
    [JSON.stringify({ ...events[3], state: undefined }), /:3:1: the event 'check' needs 'state' as a text$/],
    [JSON.stringify({ ...events[4], verdict: 'passed' }), /:3:1: .* 'verdict' as 'passed', expected pass, /],
    [JSON.stringify({ ...events[4], final: 'yes' }), /:3:1: .* needs 'final' as true or false$/],
  ]
  for (const [bad, why] of cases) {
    const path = await written([...text.slice(0, 2), `${bad}\n`, ...text.slice(2)].join(''))
    await t.rejects(readAll(path), ConfigError)
    await t.rejects(readAll(path), { message: why })
  }
})

t.test('another format is refused, also on a torn-looking last line', async t => {
  const path = await written(`${text.join('')}{"v":2,"type":"something"}\n`)
  await t.rejects(readAll(path), { message: /:6:1: the journal's format is 2, .* reads 1: use a newer one$/ })
  for (const v of ['0', '0.1', '"1"', 'null']) {
    const other = await written(`{"v":${v},"type":"something"}\n`)
    await t.rejects(readAll(other), {
      message: new RegExp(`:1:1: the journal's format is ${v}, .* reads 1$`),
    })
  }
})

t.test('what a superseded session still writes is left out', async t => {
  const second = { ...events[0], epoch: 2, type: 'session-started', session: 's2' }
  const late = events[4]
  const path = await written(
    [...text.slice(0, 4), `${JSON.stringify(second)}\n`, `${JSON.stringify(late)}\n`].join(''),
  )
  const read = await readAll(path)
  t.same(
    read.map(event => event.type),
    ['session-started', 'run-opened', 'test-started', 'check', 'session-started'],
  )
})

t.test('characters that a chunk boundary cuts come out whole', async t => {
  const check = { ...events[3], text: `${'x'.repeat(65_500)}€€€€€€€€€€€€€€€€€€€€` }
  const path = await written(`${JSON.stringify(check)}\n`)
  const [read] = await readAll(path)
  t.same(read, check)
})

t.test('a journal that is not there is a usage error', async t => {
  await t.rejects(readAll(join(folder, 'none.ndjson')), UsageError)
})
