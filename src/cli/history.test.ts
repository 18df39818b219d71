import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../test/sample-run.js'
import { storeRun } from '../../test/stored-run.js'
import { readHistory } from './history.js'

const environment = 'a@kvm-9/bios'
const plan = samplePlan([sampleEnvironment(environment, [sampleTest('clock/one')])])

t.test('durations come from the newest runs, and a broken journal stops nothing', async t => {
  const reports = t.testdir()
  for (const [run, durationMs] of [
    ['20261101-1', 100],
    ['20261102-1', 200],
    ['20261103-1', 300],
  ] as const) {
    const { events } = sampleJournal(plan).test(environment, 'clock/one', 'pass', { durationMs })
    await storeRun(join(reports, run), plan, events)
  }
  await writeFile(join(reports, '20261103-1', 'journal.ndjson'), 'no journal\nat all\n')
  const { tests } = await readHistory(reports)
  t.same([...tests], [[`${environment} clock/one`, 200]])
})

t.test('where nothing was run there is no history', async t => {
  t.equal((await readHistory(join(t.testdir(), 'none'))).tests.size, 0)
})
