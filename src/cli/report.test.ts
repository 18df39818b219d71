import { appendFile, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { guestcert } from '../../test/cli-io.js'
import { elements, readXml } from '../../test/read-xml.js'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../test/sample-run.js'
import { storeRun } from '../../test/stored-run.js'

const cwd = await mkdtemp(join(tmpdir(), 'guestcert-report-'))
t.teardown(() => rm(cwd, { recursive: true }))

const environment = 'rhel5@rhel-kvm-9.6/bios'
const plan = samplePlan([
  sampleEnvironment(environment, [sampleTest('clock/drift'), sampleTest('clock/mono')]),
])
const closed = {
  type: 'run-closed',
  counts: { pass: 2, fail: 0, error: 0, skip: 0, blocked: 0, 'not-run': 0 },
  flaky: 0,
  exitCode: 0,
  interrupted: false,
} as const
const passed = sampleJournal(plan)
  .test(environment, 'clock/drift', 'pass')
  .test(environment, 'clock/mono', 'pass')
  .add(closed)
const failed = sampleJournal(plan)
  .test(environment, 'clock/drift', 'fail')
  .test(environment, 'clock/mono', 'pass')

await storeRun(join(cwd, 'reports/20261122-101500-a1b2'), plan, passed.events)
await storeRun(join(cwd, 'reports/20261123-101500-c3d4'), plan, failed.events)
await symlink('20261123-101500-c3d4', join(cwd, 'reports/latest'))

t.test('a run is told again, and ends as it ended', async t => {
  const { code, stdout, stderr } = await guestcert(['report', '20261122-101500-a1b2'], { cwd })
  t.equal(code, 0)
  t.match(stdout, 'Tests         2: 2 passed')
  t.match(stdout, 'Exit          0: Every required test passed.')
  t.equal(stderr, '')
})

t.test('a run whose runner died is told as far as it came', async t => {
  const { code, stdout, stderr } = await guestcert(['report', 'latest'], { cwd })
  t.equal(code, 1)
  t.match(stdout, '1) rhel5@rhel-kvm-9.6/bios › clock/drift')
  t.match(stderr, 'the run is incomplete')
})

t.test('a torn journal loses its last verdict and gains no pass', async t => {
  const folder = join(cwd, 'reports/20261124-101500-e5f6')
  await storeRun(folder, plan, passed.events.slice(0, -2))
  await appendFile(join(folder, 'journal.ndjson'), JSON.stringify(passed.events.at(-2)))
  const { code, stdout } = await guestcert(['report', folder], { cwd })
  t.equal(code, 3)
  t.match(stdout, '1 passed, 1 error')
  await rm(folder, { recursive: true })
})

t.test('a run is found by its path, its name, the beginning of its name, or as latest', async t => {
  for (const name of ['20261122-101500-a1b2', '20261122', join(cwd, 'reports/20261122-101500-a1b2')]) {
    t.equal((await guestcert(['report', name], { cwd })).code, 0, name)
  }
  t.match(await guestcert(['report', '2026'], { cwd }), {
    code: 2,
    stderr: /"2026" is ambiguous, 2 runs match/,
  })
  t.match(await guestcert(['report', '20261122-101500-a1b3'], { cwd }), {
    code: 2,
    stderr: /did you mean "20261122-101500-a1b2"\?/,
  })
  t.match(await guestcert(['report', 'latest', '--reports', 'none'], { cwd }), {
    code: 2,
    stderr: /there are no runs in/,
  })
})

t.test('JUnit files are made again, where they are wanted', async t => {
  const { code, stdout } = await guestcert(['report', 'latest', '--to', 'junit=build'], {
    cwd,
  })
  t.equal(code, 1)
  const files = stdout.trim().split('\n')
  t.same(files, [
    join(cwd, 'build/junit/rhel5@rhel-kvm-9.6+bios.xml'),
    join(cwd, 'build/junit-strict/rhel5@rhel-kvm-9.6+bios.xml'),
  ])
  const document = readXml(await readFile(files[0] ?? '', 'utf8'))
  t.equal(elements(document, 'failure').length, 1)
})

t.test('a run without its plan, or with a broken journal, is refused with the place', async t => {
  const folder = join(cwd, 'broken')
  await storeRun(folder, plan, passed.events)
  await writeFile(join(folder, 'plan.json'), '[]')
  t.match(await guestcert(['report', folder], { cwd }), {
    code: 2,
    stderr: /plan\.json:1:1: not a plan/,
  })
  await storeRun(folder, plan, passed.events)
  await writeFile(join(folder, 'journal.ndjson'), 'nonsense\n{}\n')
  t.match(await guestcert(['report', folder], { cwd }), { code: 2, stderr: /journal\.ndjson:1:1: / })
})
