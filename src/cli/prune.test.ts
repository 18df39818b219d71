import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { guestcert } from '../../test/cli-io.js'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../test/sample-run.js'
import { storeRun } from '../../test/stored-run.js'

const dayMs = 86_400_000
const plan = samplePlan([sampleEnvironment('g@p-1/c', [sampleTest('s/t')])])
const closed = {
  type: 'run-closed',
  counts: { pass: 0, fail: 0, error: 0, skip: 0, blocked: 0, 'not-run': 1 },
  flaky: 0,
  exitCode: 3,
  interrupted: false,
} as const

/** A folder of runs that began so many days ago, with a file that is not a run and a link that is none either. */
async function reportsOf(
  ages: Readonly<Record<string, number>>,
  open: readonly string[] = [],
): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), 'guestcert-prune-'))
  t.teardown(() => rm(cwd, { recursive: true }))
  for (const [name, days] of Object.entries(ages)) {
    const began = new Date(Date.now() - days * dayMs - 1000)
    const journal = sampleJournal(plan)
    if (!open.includes(name)) journal.add(closed)
    const events = journal.events.map(event => ({ ...event, at: began.toISOString() }))
    await storeRun(join(cwd, 'reports', name), plan, events)
    await utimes(join(cwd, 'reports', name, 'journal.ndjson'), began, began)
  }
  await mkdir(join(cwd, 'elsewhere'))
  await writeFile(join(cwd, 'elsewhere/journal.ndjson'), '')
  await symlink('../elsewhere', join(cwd, 'reports/link'))
  await mkdir(join(cwd, 'reports/notes'))
  await writeFile(join(cwd, 'reports/README.md'), 'not a run')
  return cwd
}

async function runsIn(cwd: string): Promise<string[]> {
  const others = ['README.md', 'notes', 'link', 'latest']
  return (await readdir(join(cwd, 'reports'))).filter(name => !others.includes(name)).sort()
}

t.test('the newest stay, by when they began and not by their names', async t => {
  const cwd = await reportsOf({ a: 1, b: 5, c: 3, d: 4 })
  const { code, stdout } = await guestcert(['reports', 'prune', '--keep', '2'], { cwd })
  t.equal(code, 0)
  t.same(await runsIn(cwd), ['a', 'c'])
  t.match(stdout, 'removed d (4 days old)\nremoved b (5 days old)\n2 removed, 2 kept in ')
})

t.test('nothing but runs is touched', async t => {
  const cwd = await reportsOf({ a: 1 })
  await guestcert(['reports', 'prune', '--keep', '0'], { cwd })
  t.same((await readdir(join(cwd, 'reports'))).sort(), ['README.md', 'link', 'notes'])
  t.same(await readdir(join(cwd, 'elsewhere')), ['journal.ndjson'])
})

t.test('only runs of an age go, and with both flags only those that both let go', async t => {
  const cwd = await reportsOf({ a: 1, b: 40, c: 50 })
  await guestcert(['reports', 'prune', '--older-than', '30d', '--keep', '2'], { cwd })
  t.same(await runsIn(cwd), ['a', 'b'])
  await guestcert(['reports', 'prune', '--older-than', '30d'], { cwd })
  t.same(await runsIn(cwd), ['a'])
})

t.test('the run that latest names stays, however old', async t => {
  const cwd = await reportsOf({ a: 1, b: 40 })
  await symlink('b', join(cwd, 'reports/latest'))
  const { stdout } = await guestcert(['reports', 'prune', '--keep', '0'], { cwd })
  t.same(await runsIn(cwd), ['b'])
  t.match(stdout, 'kept b: "latest" names it')
})

t.test('a run that may still be running stays, one that was left long ago goes', async t => {
  const cwd = await reportsOf({ a: 0, b: 3 }, ['a', 'b'])
  const { stdout } = await guestcert(['reports', 'prune', '--keep', '0'], { cwd })
  t.same(await runsIn(cwd), ['a'])
  t.match(stdout, 'kept a: it may still be running')
})

t.test('a run whose journal cannot be read is left to people', async t => {
  const cwd = await reportsOf({ a: 3 })
  await writeFile(join(cwd, 'reports/a/journal.ndjson'), 'nonsense\n{}\n')
  t.match(
    (await guestcert(['reports', 'prune', '--keep', '0'], { cwd })).stdout,
    'its journal cannot be read',
  )
  t.same(await runsIn(cwd), ['a'])
})

t.test('a dry run says what would go, and removes nothing', async t => {
  const cwd = await reportsOf({ a: 1, b: 5 })
  const { stdout } = await guestcert(['reports', 'prune', '--keep', '1', '--dry-run'], { cwd })
  t.match(stdout, 'would remove b (5 days old)\n1 would be removed, 1 kept')
  t.same(await runsIn(cwd), ['a', 'b'])
})

t.test('without a choice nothing is removed', async t => {
  const cwd = await reportsOf({ a: 1 })
  t.match(await guestcert(['reports', 'prune'], { cwd }), { code: 2, stderr: /nothing selected/ })
  t.same(await runsIn(cwd), ['a'])
})
