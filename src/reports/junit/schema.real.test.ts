import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../../test/sample-run.js'
import { packageRoot } from '../../config/package-root.js'
import { foldRun } from '../../journal/fold.js'
import { writeJunit } from './write.js'

// `xmllint` comes with Debian's libxml2-utils.
const schema = join(packageRoot, 'fixtures/junit/junit-10.xsd')
const folder = await mkdtemp(join(tmpdir(), 'guestcert-schema-'))
t.teardown(() => rm(folder, { recursive: true }))

const environment = 'rhel5@rhel-kvm-9.6/bios'
const ids = ['clock/drift', 'clock/monotonic', 'core/identity', 'core/reboot', 'core/memory', 'core/disk']
const plan = samplePlan([
  sampleEnvironment(
    environment,
    ids.map(id => sampleTest(id)),
    { emulated: true },
  ),
  sampleEnvironment('empty@rhel-kvm-9.6/bios', []),
])
const evidence = [{ path: 'evidence/x.log', sha256: 'f'.repeat(64), bytes: 1 }]
const journal = sampleJournal(plan)
  .add({ type: 'instance-started', environment, instance: 'i1', host: 'kvm-1', attempt: 1 })
  .test(environment, 'clock/drift', 'error', { final: false, evidence })
  .test(environment, 'clock/drift', 'pass', { attempt: 2, evidence })
  .test(environment, 'clock/monotonic', 'error', { final: false })
  .test(environment, 'clock/monotonic', 'fail', {
    attempt: 2,
    seen: ['not ok ]]> twice ]]>\n\0\x1b[31m<&"\ud800'],
  })
  .test(environment, 'core/identity', 'error')
  .test(environment, 'core/reboot', 'blocked', { instance: null })
  .test(environment, 'core/memory', 'skip')
const paths = await writeJunit(folder, foldRun(plan, journal.events))

t.test('every document is well formed for libxml2', async t => {
  t.equal(paths.length, 4)
  await execa('xmllint', ['--noout', ...paths])
})

t.test("the strict documents validate against the xunit plugin's schema", async t => {
  const strict = paths.filter(path => path.includes('junit-strict'))
  t.equal(strict.length, 2)
  await execa('xmllint', ['--noout', '--schema', schema, ...strict])
})

t.test('the schema refuses the rich documents, so it does look', async t => {
  const rich = paths.filter(path => !path.includes('junit-strict'))
  await t.rejects(execa('xmllint', ['--noout', '--schema', schema, ...rich]))
  await writeFile(join(folder, 'bad.xml'), '<testsuites><testsuite/></testsuites>')
  await t.rejects(execa('xmllint', ['--noout', '--schema', schema, join(folder, 'bad.xml')]))
})
