import t from 'tap'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../../../test/sample-run.js'
import { openFold } from '../../../journal/fold.js'
import { ActivityFold } from './activity.js'

const environment = 'rhel5@hyper-v-2012/gen1'
const plan = samplePlan([
  sampleEnvironment(
    environment,
    ['core/identity', 'core/memory'].map(id => sampleTest(id)),
  ),
])

t.test('of tests that run at once the oldest is shown, and how many are beside it', async t => {
  const journal = sampleJournal(plan).add({
    type: 'instance-started',
    environment,
    instance: 'i1',
    host: 'hv-2012',
    attempt: 1,
  })
  const fold = openFold(plan)
  const activity = new ActivityFold(fold)
  let told = 0
  const doing = (): string | undefined => {
    for (; told < journal.events.length; told += 1) {
      const event = journal.events[told]
      if (event !== undefined) {
        fold.add(event)
        activity.add(event)
      }
    }
    return activity.doing[0]?.what
  }
  const started = { type: 'test-started', environment, attempt: 1, instance: 'i1' } as const
  journal.add({ ...started, test: 'core/identity' })
  t.equal(doing(), 'core/identity')
  journal.add({ ...started, test: 'core/memory' })
  t.equal(doing(), 'core/identity and 1 more')
  journal.test(environment, 'core/identity', 'pass')
  t.equal(doing(), 'core/memory')
  journal.test(environment, 'core/memory', 'pass')
  t.equal(doing(), 'between tests')
})
