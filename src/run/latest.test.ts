import { lstat, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { guestcert } from '../../test/cli-io.js'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../test/sample-run.js'
import { storeRun } from '../../test/stored-run.js'
import { pointLatest, readLatest } from './latest.js'

const environment = 'rhel5@rhel-kvm-9.6/bios'
const plan = samplePlan([sampleEnvironment(environment, [sampleTest('clock/drift')])])
const [green, red] = ['20261122-101500-a1b2', '20261123-101500-c3d4']

/** A folder with a green run and a newer red one. */
async function reportsOf(cwd: string): Promise<string> {
  const reports = join(cwd, 'reports')
  for (const [run, verdict] of [
    [green, 'pass'],
    [red, 'fail'],
  ] as const) {
    await storeRun(
      join(reports, run),
      plan,
      sampleJournal(plan).test(environment, 'clock/drift', verdict).events,
    )
  }
  return reports
}

t.test('it is a link, replaced whatever stood there, and every reader follows it', async t => {
  const cwd = t.testdir()
  const reports = await reportsOf(cwd)
  t.equal(await readLatest(reports), null)
  t.equal(await pointLatest(reports, green), null)
  t.equal(await readLatest(reports), join(reports, green))
  t.equal(await pointLatest(reports, red), null)
  t.equal(await readLatest(reports), join(reports, red))
  t.ok((await lstat(join(reports, 'latest'))).isSymbolicLink())
  t.match(await guestcert(['report', 'latest'], { cwd }), { code: 1 })
})

t.test('a text file with the name of a run stands for it, for report and prune alike', async t => {
  const cwd = t.testdir()
  const reports = await reportsOf(cwd)
  for (const text of [`${red}\n`, red, `${red}\r\n`]) {
    await writeFile(join(reports, 'latest'), text)
    t.equal(await readLatest(reports), join(reports, red))
    t.match(await guestcert(['report', 'latest'], { cwd }), { code: 1, stdout: /1 failed/ })
  }
  await writeFile(join(reports, 'latest'), `${green}\n`)
  t.match(await guestcert(['reports', 'prune', '--keep', '0', '--dry-run'], { cwd }), {
    stdout: new RegExp(`kept ${green}: "latest" names it`),
  })
  t.equal(await pointLatest(reports, red), null, 'and it is replaced')
  t.equal(await readLatest(reports), join(reports, red))
})

t.test('what stands for no run is an error, and never another run', async t => {
  const cwd = t.testdir()
  const reports = await reportsOf(cwd)
  const latest = join(reports, 'latest')
  for (const text of [
    '',
    'gone',
    '..',
    `../reports/${green}`,
    `${reports}/${green}`,
    'a\nb',
    'x'.repeat(5000),
  ]) {
    await writeFile(latest, text)
    await t.rejects(readLatest(reports), { name: 'UsageError' }, text.slice(0, 20))
    t.match(await guestcert(['report', 'latest'], { cwd }), { code: 2, stdout: '' })
  }
  await rm(latest)
  await symlink('gone', latest)
  t.match(await guestcert(['report', 'latest'], { cwd }), { code: 2, stderr: /stands for "gone"/ })
})

t.test('a real folder in its place is said, neither read as the newest run nor replaced', async t => {
  const cwd = t.testdir()
  const reports = await reportsOf(cwd)
  const latest = join(reports, 'latest')
  await rename(join(reports, green), latest)
  for (const name of ['latest', 'reports/latest', latest, `${latest}/`]) {
    const ended = await guestcert(['report', name, '--reports', reports], { cwd })
    t.match(ended, { code: 2, stdout: '', stderr: /latest is a folder, where guestcert keeps a link/ }, name)
  }
  await t.rejects(pointLatest(reports, red), {
    name: 'InternalError',
    message: /cannot be made to stand for/,
  })
  t.match(await readFile(join(latest, 'plan.json'), 'utf8'), 'rhel5', 'it is left as it was')
  t.match(await guestcert(['reports', 'prune', '--keep', '0', '--dry-run'], { cwd }), {
    stdout: /^(?!.*(remove|kept) latest)/,
  })
  const run = await guestcert(['run', labFile], { cwd })
  t.match(run, { code: 2, stderr: /latest is a folder/ })
})

t.test('where it cannot be replaced it is removed, so that it shows no older run', async t => {
  const reports = await reportsOf(t.testdir())
  await pointLatest(reports, green)
  // A folder where the new pointer is prepared: neither a link nor a file can be made there.
  await mkdir(join(reports, `.latest-${red}`))
  await t.rejects(pointLatest(reports, red), { name: 'InternalError' })
  t.equal(await readLatest(reports), null)
})

const labFile = join(
  t.testdir({
    'lab.yaml': `lab: small
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
suites: [builtin]
guests: { g: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } } }
`,
  }),
  'lab.yaml',
)
