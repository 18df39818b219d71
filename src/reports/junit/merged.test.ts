import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { elements, type ReadElement, readXml } from '../../../test/read-xml.js'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../../test/sample-run.js'
import { foldRun } from '../../journal/fold.js'
import { writeMergedJunit } from './merged.js'

const folder = await mkdtemp(join(tmpdir(), 'guestcert-merged-'))
t.teardown(() => rm(folder, { recursive: true }))

const ids = ['a@p-1/c', 'b@p-1/c', 'c@p-1/c']
const plan = samplePlan(ids.map(id => sampleEnvironment(id, [sampleTest('s/x'), sampleTest('s/y')])))
const nothing = foldRun(plan, [])

async function read(path: string): Promise<ReadElement> {
  return readXml(await readFile(path, 'utf8'))
}

t.test('one file holds every planned test, and counts them', async t => {
  const path = join(folder, 'one/junit.xml')
  const journal = sampleJournal(plan).test('b@p-1/c', 's/x', 'pass').test('b@p-1/c', 's/y', 'skip')
  const written = await writeMergedJunit({ path, state: foldRun(plan, journal.events), profile: 'rich' })
  t.same(written, [path])
  const document = await read(path)
  t.match(document.attributes, { tests: '6', failures: '0', errors: '4', skipped: '1' })
  t.same(
    elements(document, 'testsuite').map(({ attributes }) => attributes.name),
    ids.map(id => `${id}/s`),
  )
  t.same(await readdir(join(folder, 'one')), ['junit.xml'], 'nothing unfinished is left')
})

t.test('what is too large is split, and a smaller report removes the parts of a larger one', async t => {
  const path = join(folder, 'parts/junit.xml')
  const written = await writeMergedJunit({
    path,
    state: nothing,
    profile: 'strict',
    limits: { bytes: 1e9, cases: 3 },
  })
  t.same(await readdir(join(folder, 'parts')), ['junit-0002.xml', 'junit-0003.xml', 'junit.xml'])
  const cases = await Promise.all(written.map(async one => elements(await read(one), 'testcase').length))
  t.same(cases, [2, 2, 2])
  await writeMergedJunit({ path, state: nothing, profile: 'strict', limits: { bytes: 4000, cases: 5000 } })
  const sizes = await Promise.all(
    (await readdir(join(folder, 'parts'))).map(name => readFile(join(folder, 'parts', name))),
  )
  t.ok(sizes.length > 1 && sizes.every(({ length }) => length < 6000))
  await writeMergedJunit({ path, state: nothing, profile: 'strict' })
  t.same(await readdir(join(folder, 'parts')), ['junit.xml'])
})

t.test('a large suite is several elements of its name, and no case is lost or doubled', async t => {
  const many = Array.from({ length: 2500 }, (_, index) => sampleTest(`s/${index}`))
  const large = samplePlan([sampleEnvironment('a@p-1/c', many)])
  const path = join(folder, 'large/junit.xml')
  await writeMergedJunit({ path, state: foldRun(large, []), profile: 'rich' })
  const document = await read(path)
  t.same(
    elements(document, 'testsuite').map(({ attributes }) => [attributes.name, attributes.tests]),
    [
      ['a@p-1/c/s', '1000'],
      ['a@p-1/c/s (2)', '1000'],
      ['a@p-1/c/s (3)', '500'],
    ],
  )
  t.equal(new Set(elements(document, 'testcase').map(({ attributes }) => attributes.id)).size, 2500)
  t.equal(document.attributes.tests, '2500')
})
