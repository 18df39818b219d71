import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { elements, readXml } from '../../../test/read-xml.js'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../../test/sample-run.js'
import { InternalError } from '../../config/errors.js'
import { foldRun } from '../../journal/fold.js'
import { writeJunit } from './write.js'

const folder = await mkdtemp(join(tmpdir(), 'guestcert-junit-'))
t.teardown(() => rm(folder, { recursive: true }))

const first = 'rhel5@rhel-kvm-9.6/bios'
const second = 'rhel9@rhel-kvm-9.6/uefi'
const plan = samplePlan([
  sampleEnvironment(first, [sampleTest('clock/drift')]),
  sampleEnvironment(second, [sampleTest('clock/drift')]),
])
const evidence = [{ path: 'evidence/x.log', sha256: 'f'.repeat(64), bytes: 1 }]
const passed = foldRun(plan, sampleJournal(plan).test(first, 'clock/drift', 'pass', { evidence }).events)

t.test('every planned environment has a file of each profile, and nothing else is left', async t => {
  const run = join(folder, 'all')
  const written = await writeJunit(run, foldRun(plan, []))
  t.equal(written.length, 4)
  for (const profile of ['junit', 'junit-strict']) {
    t.same((await readdir(join(run, profile))).sort(), [
      'rhel5@rhel-kvm-9.6+bios.xml',
      'rhel9@rhel-kvm-9.6+uefi.xml',
    ])
  }
  for (const path of written) t.equal(elements(readXml(await readFile(path, 'utf8')), 'error').length, 1)
})

t.test('an environment that ended replaces its own files only', async t => {
  const run = join(folder, 'one')
  await writeJunit(run, foldRun(plan, []))
  const written = await writeJunit(run, passed, { environments: [first], workspace: folder })
  t.same(
    written.map(path => path.slice(run.length + 1)),
    ['junit/rhel5@rhel-kvm-9.6+bios.xml', 'junit-strict/rhel5@rhel-kvm-9.6+bios.xml'],
  )
  const document = await readFile(join(run, 'junit/rhel5@rhel-kvm-9.6+bios.xml'), 'utf8')
  t.equal(elements(readXml(document), 'error').length, 0)
  t.match(document, '[[ATTACHMENT|one/evidence/x.log]]', 'evidence is named as seen from the workspace')
  const other = await readFile(join(run, 'junit/rhel9@rhel-kvm-9.6+uefi.xml'), 'utf8')
  t.equal(elements(readXml(other), 'error').length, 1)
})

t.test('trouble of the run has a file of its own, as long as there is any', async t => {
  const run = join(folder, 'trouble')
  const lost = sampleJournal(plan).add({ type: 'host-set-aside', host: 'kvm-1', failures: 3, reason: 'dead' })
  const written = await writeJunit(run, foldRun(plan, lost.events))
  t.equal(written.length, 6)
  t.match(readXml(await readFile(join(run, 'junit/run.xml'), 'utf8')).attributes, { tests: '1', errors: '1' })
  await writeJunit(run, passed)
  t.notOk((await readdir(join(run, 'junit'))).includes('run.xml'))
})

t.test('a report that cannot be written is a bug of ours, and the former file stays', async t => {
  const run = join(folder, 'blocked')
  await mkdir(run)
  await writeFile(join(run, 'junit'), 'a file where the folder belongs')
  await t.rejects(writeJunit(run, passed), InternalError)
  await t.rejects(writeJunit(run, passed), { message: /^the report .*bios\.xml cannot be written: / })
})
