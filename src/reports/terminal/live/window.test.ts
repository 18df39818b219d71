import stringWidth from 'string-width'
import t from 'tap'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../../../test/sample-run.js'
import { openFold } from '../../../journal/fold.js'
import { columnsFor } from '../columns.js'
import { createStyle } from '../style.js'
import { ActivityFold } from './activity.js'
import { type WindowParts, windowLines } from './window.js'

const first = 'ws2008@rhel-kvm-9.6/bios'
const second = 'rhel5@hyper-v-2012/gen1'
const third = 'rhel9@rhel-kvm-9.6/uefi'
const tests = ['clock/drift', 'core/memory', 'core/disk'].map(id => sampleTest(id))
const plan = samplePlan([first, second, third].map(id => sampleEnvironment(id, tests)))
const journal = sampleJournal(plan)
  .add({ type: 'instance-started', environment: first, instance: 'i1', host: 'kvm-1', attempt: 1 })
  .add({ type: 'instance-started', environment: second, instance: 'i2', host: 'hv-2012', attempt: 1 })
  .test(first, 'clock/drift', 'pass')
  .test(first, 'core/memory', 'fail')
  .add({ type: 'test-started', environment: first, test: 'core/disk', attempt: 1, instance: 'i1' })
  .add({
    type: 'waiting',
    environment: second,
    what: 'the guest to answer (10.0.0.5:22)',
    since: '2026-11-22T10:15:00.000Z',
    until: '2026-11-22T10:25:00.000Z',
    limit: 'boot',
  })
  .add({
    type: 'waiting',
    environment: third,
    what: 'a free place on kvm-1',
    since: '2026-11-22T10:15:00.000Z',
  })
const last = Date.parse(journal.events.at(-1)?.at ?? '')

function parts(changes: Partial<WindowParts> = {}): WindowParts {
  const fold = openFold(plan)
  const activity = new ActivityFold(fold)
  for (const event of journal.events) {
    fold.add(event)
    activity.add(event)
  }
  return {
    activity,
    plan,
    style: createStyle({ color: false, unicode: true }),
    label: columnsFor(plan, undefined).label,
    capacityOf: host => (host === 'kvm-1' ? { guests: 4, vcpus: 32, memoryBytes: 96 * 2 ** 30 } : undefined),
    expectations: () => undefined,
    parallel: 2,
    nowMs: last + 9000,
    ...changes,
  }
}

t.test('it shows hosts with their capacity, what runs on them, what is waited for, and progress', async t => {
  const lines = windowLines(parts(), { columns: 160, rows: 30 }).map(line => line.replace(/ +/g, ' ').trim())
  t.same(lines, [
    '',
    'kvm-1 1 of 4 guests, 1 of 32 vCPUs, 1GiB of 96GiB',
    'ws2008@rhel-kvm-9.6 core/disk 11 s',
    'hv-2012 1 guest, 1 vCPU, 1GiB',
    'rhel5@hyper-v-2012 starting 18 s waiting for the guest to answer (10.0.0.5:22) (until 10:25:00 UTC)',
    'waits rhel9@rhel-kvm-9.6 waiting for a free place on kvm-1',
    '━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 2/9 tests 1 passed, 1 failed 21 s',
  ])
})

t.test('a slow test is marked: after a minute, or twice the time that it took before', async t => {
  const marked = (changes: Partial<WindowParts>): boolean =>
    windowLines(parts(changes), { columns: 120, rows: 30 }).some(line => line.includes('slow'))
  t.equal(marked({}), false)
  t.equal(marked({ nowMs: last + 59_000 }), true, 'half of its limit of 60 s')
  t.equal(marked({ expectations: () => 5000 }), true)
  t.equal(marked({ expectations: () => 8000 }), false)
})

t.test('the time left is shown where earlier runs tell enough', async t => {
  const last = (changes: Partial<WindowParts>): string =>
    windowLines(parts(changes), { columns: 120, rows: 30 }).at(-1) ?? ''
  t.notMatch(last({}), 'left')
  // 3 × 3 tests but two; one of them has run for 11 s: 6 × 20 s + 9 s, of which no environment has more than 60 s.
  t.match(last({ expectations: () => 20_000 }), 'about 1 m 05 s left')
  t.notMatch(last({ expectations: (_, test) => (test === 'core/disk' ? 1000 : undefined) }), 'left')
})

t.test('a resumed run begins with the results that stand', async t => {
  const decided = sampleJournal(plan).test(first, 'clock/drift', 'pass').test(first, 'core/memory', 'error')
  const fold = openFold(plan)
  const activity = new ActivityFold(fold)
  for (const event of decided.events) fold.add(event)
  const session = decided.session().events.at(-1)
  if (session === undefined) throw new Error('no session')
  fold.add(session)
  activity.add(session)
  t.equal(activity.finished, 1, 'what was not carried out is tried again')
  t.match(activity.counts, { pass: 1, error: 0 })
})

t.test('it fits any terminal', async t => {
  for (const columns of [20, 40, 60, 80, 200]) {
    for (const rows of [1, 2, 5, 8, 12, 24]) {
      const lines = windowLines(parts(), { columns, rows })
      t.ok(lines.length <= Math.max(1, rows - 1), `${lines.length} lines of ${rows}`)
      t.ok(
        lines.every(line => stringWidth(line) < columns),
        `${columns} columns`,
      )
      t.match(lines.at(-1), /[━╌]/, 'progress is always shown')
    }
  }
})
