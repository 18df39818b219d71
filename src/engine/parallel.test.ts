import t from 'tap'
import { sampleTest } from '../../test/sample-run.js'
import type { PlannedTest } from '../plan/types.js'
import type { Progress } from './environment.js'
import { beside, ofThoseBeside } from './parallel.js'

const one = (id: string, more: Partial<PlannedTest> = {}): PlannedTest => sampleTest(`s/${id}`, more)
const parallel = { parallel: true } as const

function ids(pending: PlannedTest[], ended: Progress['ended'] = new Map()): string[] {
  return beside({ pending, ended }).map(({ id }) => id)
}

t.test('a test that does not say so runs alone', async t => {
  t.same(ids([one('a'), one('b', parallel)]), ['s/a'])
  t.same(ids([one('a')]), ['s/a'])
})

t.test('those that say so run up to the next that does not', async t => {
  const pending = [one('a', parallel), one('b', parallel), one('c'), one('d', parallel)]
  t.same(ids(pending), ['s/a', 's/b'])
})

t.test('one that needs another waits until that has passed', async t => {
  const pending = [one('b', parallel), one('c', { ...parallel, after: ['s/b'] }), one('d', parallel)]
  t.same(ids(pending), ['s/b'])
  t.same(ids(pending.slice(1), new Map([['s/b', { verdict: 'pass' }]])), ['s/c', 's/d'])
})

t.test('whoever reads of a guest that did not survive learns which tests were under way', async t => {
  const inFlight = new Set(['s/b', 's/a'])
  const reason = 'the guest rebooted unexpectedly'
  t.equal(ofThoseBeside({ reason, spoilt: true }, { inFlight }), `${reason}; tests in flight: s/a, s/b`)
  t.equal(ofThoseBeside({ reason, spoilt: true }, { inFlight: new Set(['s/a']) }), reason)
  t.equal(ofThoseBeside({ reason: 'one is two', spoilt: false }, { inFlight }), 'one is two')
  t.equal(ofThoseBeside({ reason: '', spoilt: true }, { inFlight }), '', 'a pass has none')
})
