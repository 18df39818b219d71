import t from 'tap'
import {
  type SampleJournal,
  sampleEnvironment,
  sampleJournal,
  samplePlan,
  sampleTest,
} from '../../test/sample-run.js'
import type { JournalEvent } from './events.js'
import { exitCodeOf } from './exit.js'
import { foldRun, openFold } from './fold.js'
import type { RunState, TestState } from './state.js'

const first = 'rhel5@rhel-kvm-9.6/bios'
const second = 'rhel9@rhel-kvm-9.6/uefi'
const drift = 'clock/drift'
const plan = samplePlan([
  sampleEnvironment(first, [sampleTest(drift), sampleTest('clock/monotonic'), sampleTest('core/identity')]),
  sampleEnvironment(second, [sampleTest(drift)]),
])

/** The state of `clock/drift` in the first environment. */
function driftOf(journal: SampleJournal): TestState {
  const test = foldRun(plan, journal.events).environments[0]?.tests[0]
  if (test === undefined) throw new Error('the plan lost its first test')
  return test
}

t.test('an empty journal holds every planned test as not run', async t => {
  const state = foldRun(plan, [])
  t.same(state.counts, { pass: 0, fail: 0, error: 0, skip: 0, blocked: 0, 'not-run': 4 })
  t.same(
    state.environments.map(environment => environment.tests.map(test => test.planned.id)),
    [[drift, 'clock/monotonic', 'core/identity'], [drift]],
  )
  t.equal(exitCodeOf(state), 3)
})

t.test('a pass is a pass, with its checks, and says nothing of its neighbours', async t => {
  const journal = sampleJournal(plan).test(first, drift, 'pass', { seen: ['ok one', 'todo two', 'ok three'] })
  const state = foldRun(plan, journal.events)
  const test = driftOf(journal)
  t.match(test, { verdict: 'pass', cause: null, reason: '', flaky: false, settled: true })
  t.same(
    test.attempts[0]?.checks.map(check => check.text),
    ['one', 'two', 'three'],
  )
  t.same(test.attempts[0]?.counts, { ok: 2, notOk: 0, todo: 1, skip: 0 })
  t.same(state.counts, { pass: 1, fail: 0, error: 0, skip: 0, blocked: 0, 'not-run': 3 })
  t.equal(state.environments[1]?.startedAt, null)
})

t.test('the last attempt decides, and a pass after a failed attempt is flaky', async t => {
  const journal = sampleJournal(plan)
    .test(first, drift, 'error', { final: false, reason: 'connection lost' })
    .test(first, drift, 'pass', { attempt: 2, instance: 'i2' })
  t.match(driftOf(journal), { verdict: 'pass', flaky: true })
  t.same(
    driftOf(journal).attempts.map(attempt => attempt.verdict),
    ['error', 'pass'],
  )
  const state = foldRun(plan, journal.events)
  t.equal(state.flaky, 1)
  t.same(state.problems, [])
})

t.test('nothing becomes a pass but an observed pass', async t => {
  const cases: readonly (readonly [name: string, journal: SampleJournal, verdict: string])[] = [
    ['started, no end', started(sampleJournal(plan)), 'error'],
    [
      'a check held, no end',
      started(sampleJournal(plan)).add({
        type: 'check',
        environment: first,
        test: drift,
        attempt: 1,
        state: 'ok',
        text: 'it holds',
      }),
      'error',
    ],
    [
      'a check failed, no end',
      started(sampleJournal(plan)).add({
        type: 'check',
        environment: first,
        test: drift,
        attempt: 1,
        state: 'not-ok',
        text: 'it holds',
      }),
      'fail',
    ],
    ['a pass without a check', sampleJournal(plan).test(first, drift, 'pass', { seen: [] }), 'error'],
    ['a pass of todo points', sampleJournal(plan).test(first, drift, 'pass', { seen: ['todo x'] }), 'error'],
    [
      'a pass with a failed check',
      sampleJournal(plan).test(first, drift, 'pass', { seen: ['ok x', 'not ok y'] }),
      'fail',
    ],
    [
      'a pass that counts a failed check',
      sampleJournal(plan).test(first, drift, 'pass', { checks: { ok: 1, notOk: 1, todo: 0, skip: 0 } }),
      'error',
    ],
    [
      'a pass with exit status 1',
      sampleJournal(plan).test(first, drift, 'pass', { exit: { kind: 'code', code: 1 } }),
      'error',
    ],
    [
      'a pass with a lost exit status',
      sampleJournal(plan).test(first, drift, 'pass', { exit: { kind: 'lost' } }),
      'error',
    ],
    [
      'a pass after a final failure',
      sampleJournal(plan).test(first, drift, 'fail').test(first, drift, 'pass', { attempt: 2 }),
      'fail',
    ],
    [
      'a pass after a final failure, in a later session',
      sampleJournal(plan).test(first, drift, 'fail').session().test(first, drift, 'pass', { attempt: 2 }),
      'fail',
    ],
    [
      'a failure after a final pass',
      sampleJournal(plan).test(first, drift, 'pass').test(first, drift, 'fail', { attempt: 2 }),
      'fail',
    ],
    [
      'two ends of one attempt',
      twoEnds(sampleJournal(plan).test(first, drift, 'fail', { seen: [] })),
      'fail',
    ],
  ]
  for (const [name, journal, verdict] of cases) t.equal(driftOf(journal).verdict, verdict, name)
})

t.test('a contradiction is a bug of ours, and says so', async t => {
  const state = foldRun(plan, sampleJournal(plan).test(first, drift, 'pass', { seen: [] }).events)
  t.match(state.problems, [/clock\/drift in rhel5.*: journalled as a pass without a check that held/])
  t.equal(exitCodeOf(state), 4)
})

t.test('a later session may carry out what an earlier one did not', async t => {
  const journal = sampleJournal(plan)
    .test(first, drift, 'not-run', { instance: null })
    .add(closed())
    .session()
    .test(first, drift, 'pass', { instance: 'i2' })
  t.match(driftOf(journal), { verdict: 'pass', flaky: false, settled: true })
  const state = foldRun(plan, journal.events)
  t.same(state.problems, [])
  t.equal(state.closed, null, 'the new session has not closed the run')
  t.equal(state.sessions.length, 2)
})

t.test('an attempt that a dead runner left stays in the list, and makes nothing flaky', async t => {
  const journal = started(sampleJournal(plan)).session().test(first, drift, 'pass', { instance: 'i2' })
  t.same(
    driftOf(journal).attempts.map(attempt => attempt.verdict),
    ['error', 'pass'],
  )
  t.match(driftOf(journal), { flaky: false, settled: true, stands: true })
  const tried = started(sampleJournal(plan).test(first, drift, 'error', { final: false }))
    .session()
    .test(first, drift, 'pass', { attempt: 3 })
  t.equal(driftOf(tried).flaky, true, 'what had ended as an error before counts')
})

t.test('a check that failed before its runner died has failed, whatever a later session says', async t => {
  const cut = started(sampleJournal(plan)).add({
    type: 'check',
    environment: first,
    test: drift,
    attempt: 1,
    state: 'not-ok',
    text: 'it holds',
  })
  t.match(driftOf(cut), { verdict: 'fail', settled: true, stands: true })
  const again = cut.session().test(first, drift, 'pass', { instance: 'i2' })
  t.match(driftOf(again), { verdict: 'fail', reason: 'it holds' })
  t.match(foldRun(plan, again.events).problems, [/goes on after its final result/])
})

t.test('what a later session may try again does not stand', async t => {
  for (const verdict of ['error', 'blocked', 'not-run'] as const) {
    t.match(
      driftOf(sampleJournal(plan).test(first, drift, verdict)),
      { settled: true, stands: false },
      verdict,
    )
  }
  for (const verdict of ['pass', 'fail', 'skip'] as const) {
    t.match(
      driftOf(sampleJournal(plan).test(first, drift, verdict)),
      { settled: true, stands: true },
      verdict,
    )
  }
  t.match(driftOf(started(sampleJournal(plan))), { settled: false, stands: false })
})

t.test('results that nobody planned are a bug, not a result', async t => {
  const strangers = sampleJournal(plan)
    .test(first, 'clock/forged', 'pass')
    .test('other@esxi-7/x', drift, 'pass').events
  const state = foldRun(plan, strangers)
  t.match(state.problems, [/no test clock\/forged/, /no environment other@esxi-7/])
  t.equal(state.counts.pass, 0)
  t.equal(exitCodeOf(state), 4)
})

t.test('a journal of another plan is a bug', async t => {
  const state = foldRun({ ...plan, digest: 'e'.repeat(64) }, sampleJournal(plan).events)
  t.match(state.problems, ['the journal is of another plan'])
})

t.test('instances keep their host, boot identity, facts and end', async t => {
  const environment = first
  const instance = 'i1'
  const evidence = [{ path: 'evidence/console.log', sha256: 'f'.repeat(64), bytes: 10 }]
  const journal = sampleJournal(plan)
    .add({ type: 'instance-started', environment, instance, host: 'kvm-1', attempt: 1 })
    .add({
      type: 'instance-ready',
      environment,
      instance,
      bootIdentity: 'b1',
      hostKey: null,
      factsDigest: 'x',
      facts: { kernel: '2.6.18' },
    })
    .add({
      type: 'instance-ended',
      environment,
      instance,
      undone: ['stop', 'remove'],
      orphan: null,
      kept: false,
      evidence,
    })
    .add({ type: 'environment-ended', environment })
  const [state] = foldRun(plan, journal.events).environments
  t.match(state, { ended: true, durationMs: 3000, startedAt: '2026-11-22T10:15:02.000Z' })
  t.match(state?.instances, [
    {
      host: 'kvm-1',
      ready: { facts: { kernel: '2.6.18' } },
      failure: null,
      ended: { undone: ['stop', 'remove'], evidence },
    },
  ])
})

t.test('durations leave out the time between sessions', async t => {
  const journal = sampleJournal(plan)
    .test(first, drift, 'pass')
    .session()
    .test(first, 'clock/monotonic', 'pass')
  t.equal(foldRun(plan, journal.events).durationMs, 5000 + 4000)
})

t.test('the state at any moment is the fold of the events until then', async t => {
  const { events } = sampleJournal(plan)
    .test(first, drift, 'error', { final: false })
    .test(first, drift, 'pass', { attempt: 2 })
    .test(second, drift, 'fail')
  const fold = openFold(plan)
  const seen: RunState[] = []
  for (const event of events) {
    fold.add(event)
    seen.push(fold.state())
  }
  t.same(
    seen,
    events.map((_, index) => foldRun(plan, events.slice(0, index + 1))),
    'and states handed out before did not change',
  )
  t.same(fold.environment(second), seen.at(-1)?.environments[1])
  t.equal(fold.environment('nobody'), undefined)
  t.same(fold.test(second, drift), seen.at(-1)?.environments[1]?.tests[0])
  t.equal(fold.test(second, 'clock/nothing'), undefined)
})

function started(journal: SampleJournal): SampleJournal {
  return journal.add({ type: 'test-started', environment: first, test: drift, attempt: 1, instance: 'i1' })
}

function twoEnds(journal: SampleJournal): SampleJournal {
  return journal.add({
    type: 'test-ended',
    environment: first,
    test: drift,
    attempt: 1,
    instance: 'i1',
    verdict: 'pass',
    reason: '',
    durationMs: 1,
    checks: { ok: 1, notOk: 0, todo: 0, skip: 0 },
    evidence: [],
    final: true,
  })
}

function closed(): Parameters<SampleJournal['add']>[0] {
  const counts = { pass: 0, fail: 0, error: 0, skip: 0, blocked: 0, 'not-run': 4 }
  return { type: 'run-closed', counts, flaky: 0, exitCode: 130, interrupted: true }
}

t.test('sessions of a merged run that were under way at the same time count that time once', async t => {
  const parents = [{ run: 'a', planDigest: 'd', journal: 'e', shard: '1/2' }]
  const at = (sec: number): string => new Date(Date.UTC(2026, 10, 22, 10, 0, sec)).toISOString()
  const session = (epoch: number, startSec: number, lastMs: number): JournalEvent[] => [
    {
      v: 1,
      seq: 1,
      epoch,
      at: at(startSec),
      ms: 0,
      type: 'session-started',
      session: `s${epoch}`,
      runner: 'r',
    },
    {
      ...{ v: 1, seq: 1, epoch, at: at(startSec + lastMs / 1000), ms: lastMs },
      type: 'environment-ended',
      environment: first,
    },
  ]
  const begin = sampleJournal(plan).events.find(({ type }) => type === 'run-opened')
  t.ok(begin)
  const merged = { ...begin, epoch: 0, ms: 0, parents } as JournalEvent
  const sideBySide = [...session(1, 10, 20_000), ...session(2, 20, 30_000), ...session(3, 120, 5_000)]
  t.equal(foldRun(plan, [merged, ...sideBySide]).durationMs, 40_000 + 5_000)
  t.equal(
    foldRun(plan, sideBySide).durationMs,
    55_000,
    'those of one run follow one another, whatever clocks say',
  )
})
