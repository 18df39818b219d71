/** A run folder that a stranger made: reports of it open, write and show nothing that he chose. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcert } from './cli-io.js'
import { elements, readXml } from './read-xml.js'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from './sample-run.js'
import { storeRun } from './stored-run.js'

const environment = 'deb@rhel-kvm-9.6/1vcpu'
const plan = samplePlan([sampleEnvironment(environment, [sampleTest('a/b')])])
const sha256 = '0'.repeat(64)

function journalWith(paths: readonly string[]): readonly JournalEvent[] {
  const evidence = paths.map(path => ({ path, sha256, bytes: 1 }))
  return sampleJournal(plan).test(environment, 'a/b', 'fail', { evidence }).events
}

async function folderOf(t: Test, events: readonly JournalEvent[]): Promise<{ cwd: string; run: string }> {
  const cwd = t.testdir({ outside: { secret: 'not yours' } })
  const run = join(cwd, 'foreign')
  await storeRun(run, plan, events)
  return { cwd, run }
}

t.test('evidence outside the folder is named to no reader of reports', async t => {
  const strays = [
    '/etc/passwd',
    '../outside/secret',
    'evidence/../../outside/secret',
    'evidence\\..\\..\\outside',
    'C:/Windows/win.ini',
    'evidence/link',
    'evidence/away/secret',
    'evidence//x',
    '',
  ]
  const { cwd, run } = await folderOf(t, journalWith(['evidence/own.txt', ...strays]))
  await mkdir(join(run, 'evidence'))
  await writeFile(join(run, 'evidence/own.txt'), 'x')
  await symlink('../../outside/secret', join(run, 'evidence/link'))
  await symlink('../../outside', join(run, 'evidence/away'))
  const told = await guestcert(['report', run], { cwd })
  t.equal(told.code, 1, told.stderr)
  t.match(told.stderr, /9 evidence files lie outside/)
  t.match(told.stdout, 'evidence/own.txt')
  t.notMatch(told.stdout, /passwd|secret|win\.ini|evidence\/link/)
  const written = await guestcert(['report', run, '--to', 'junit'], { cwd })
  for (const path of written.stdout.trim().split('\n')) {
    const xml = await readFile(path, 'utf8')
    t.match(xml, 'own.txt')
    t.notMatch(xml, /passwd|secret|win\.ini|evidence\/link/)
  }
})

t.test('reports are written over no link out of the folder', async t => {
  const { cwd, run } = await folderOf(t, journalWith([]))
  await symlink('../outside', join(run, 'junit'))
  const { code, stderr } = await guestcert(['report', run, '--to', 'junit'], { cwd })
  t.equal(code, 4)
  t.match(stderr, /is a link/)
  t.same(await readdir(join(cwd, 'outside')), ['secret'])
})

t.test('plan and journal that are links out of the folder, or no files, are not read', async t => {
  for (const name of ['plan.json', 'journal.ndjson']) {
    const { cwd, run } = await folderOf(t, journalWith([]))
    await writeFile(join(cwd, 'outside', name), await readFile(join(run, name)))
    await rm(join(run, name))
    await symlink(join('../outside', name), join(run, name))
    t.match(
      await guestcert(['report', run], { cwd }),
      { code: 2, stderr: /not a file of the run's folder/ },
      name,
    )
  }
})

t.test('plans and journals of another form are refused with their place, and are no bug of ours', async t => {
  const good = journalWith([])
  const lastOf = (change: object): string =>
    [...good.slice(0, -1), { ...good.at(-1), ...change }].map(event => `${JSON.stringify(event)}\n`).join('')
  const journals: Readonly<Record<string, string>> = {
    'evidence of null': lastOf({ evidence: [null] }),
    'evidence without a path': lastOf({ evidence: [{ sha256, bytes: 1 }] }),
    'checks that are texts': lastOf({ checks: { ok: '1' } }),
    'an exit of another kind': lastOf({ exit: { kind: '__proto__' } }),
    'measures of null': lastOf({ measures: { speed: null } }),
    'a time with an escape': lastOf({ at: '2026-11-22T\u001b[31m5:00.000Z' }),
    'a type of every object': lastOf({ type: 'constructor' }),
    'a line of 65 MiB': `${'x'.repeat(65 * 1024 * 1024)}\n`,
  }
  const { cwd, run } = await folderOf(t, good)
  for (const [what, text] of Object.entries(journals)) {
    await writeFile(join(run, 'journal.ndjson'), text + text)
    const { code, stderr } = await guestcert(['report', run], { cwd })
    t.equal(code, 2, what)
    t.match(stderr, /journal\.ndjson:\d+:1: /, what)
    t.notMatch(stderr, '\u001b', what)
  }
  await storeRun(run, plan, good)
  for (const change of [
    { environments: [null] },
    { environments: [{}] },
    { limits: 'x' },
    { expected: -1 },
  ]) {
    await writeFile(join(run, 'plan.json'), JSON.stringify({ ...plan, ...change }))
    const { code, stderr } = await guestcert(['report', run], { cwd })
    t.match({ code, stderr }, { code: 2, stderr: /plan\.json:1:1: not a plan/ }, JSON.stringify(change))
  }
})

t.test('no text of a journal becomes an element of a report, or an attachment', async t => {
  const injected = ']]></system-out></testcase><testcase name="forged" classname="x"/><system-out><![CDATA['
  const attachment = '[[ATTACHMENT|/etc/passwd]]'
  const text = `${injected}${attachment}&#x1b;<!ENTITY x SYSTEM "file:///etc/passwd">\u001b[31m\u0000`
  const { events } = sampleJournal(plan)
    .add({ type: 'instance-started', environment, instance: text, host: text, attempt: 1 })
    .test(environment, 'a/b', 'fail', {
      instance: text,
      reason: text,
      seen: [{ state: 'not-ok', text, diagnostics: text }],
      exit: { kind: 'signal', signal: text },
      measures: { [text]: { value: 1, unit: text } },
      evidence: [
        { path: `evidence/${text.replaceAll('/', '_').replaceAll('\0', '')}`, sha256: text, bytes: 1 },
      ],
    })
  const { cwd, run } = await folderOf(t, events)
  const { code, stdout } = await guestcert(['report', run, '--to', 'junit'], { cwd })
  t.equal(code, 1)
  for (const path of stdout.trim().split('\n')) {
    const xml = await readFile(path, 'utf8')
    t.equal(elements(readXml(xml), 'testcase').length, 1, path)
    t.notMatch(xml, /\[\[ATTACHMENT\|\/etc/i)
    t.notMatch(xml, '\u001b')
  }
  t.ok(existsSync(join(run, 'junit')))
})
