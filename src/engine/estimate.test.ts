import t from 'tap'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../test/sample-run.js'
import { estimateMs, historyOf, noHistory } from './estimate.js'

const tests = [sampleTest('clock/one', { limitMs: 10_000 }), sampleTest('clock/two')]
const seen = sampleEnvironment('a@kvm-9/bios', tests)
const unseen = sampleEnvironment('b@kvm-9/bios', tests)

function journalOf(oneMs: number): ReturnType<typeof sampleJournal>['events'] {
  const environment = seen.id
  return sampleJournal(samplePlan([seen]))
    .add({ type: 'instance-started', environment, instance: 'i1', host: 'kvm-1', attempt: 1 })
    .test(environment, 'clock/one', 'pass', { durationMs: oneMs })
    .test(environment, 'clock/two', 'pass', { durationMs: 500 })
    .add({ type: 'environment-ended', environment }).events
}

t.test('without earlier runs an estimate is made of tests and their limits', async t => {
  t.equal(estimateMs(seen, noHistory), 60_000 + 10_000 + 15_000)
})

t.test('the newest run says how long tests took, and all around them', async t => {
  const [older, newer] = [journalOf(4000), journalOf(2000)]
  const began = newer.find(({ type }) => type === 'instance-started')?.ms ?? Number.NaN
  const ended = newer.find(({ type }) => type === 'environment-ended')?.ms ?? Number.NaN
  const history = historyOf([older, newer])
  t.equal(estimateMs(seen, history), ended - began, 'what it took last time')
  t.equal(estimateMs({ ...seen, tests: tests.slice(1) }, history), ended - began - 2000, 'with fewer tests')
  t.equal(estimateMs(unseen, history), 60_000 + 2000 + 500, 'tests are known from other environments')
})
