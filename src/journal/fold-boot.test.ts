import t from 'tap'
import {
  type SampleJournal,
  sampleEnvironment,
  sampleJournal,
  samplePlan,
  sampleTest,
} from '../../test/sample-run.js'
import { defaultLimits } from '../config/limits.js'
import { bootTest, bootTestId } from '../plan/boot.js'
import { exitCodeOf } from './exit.js'
import { foldRun } from './fold.js'
import type { RunState, TestState } from './state.js'

const environment = 'rhel9@rhel-kvm-9.6/uefi'
const drift = 'clock/drift'
const plan = samplePlan([
  sampleEnvironment(environment, [
    bootTest({ startsGuest: true, family: 'linux', limits: defaultLimits }),
    sampleTest(drift),
  ]),
])

function fold(journal: SampleJournal): { readonly state: RunState; readonly boot: TestState } {
  const state = foldRun(plan, journal.events)
  const boot = state.environments[0]?.tests[0]
  if (boot?.planned.id !== bootTestId) throw new Error('the plan lost its bring-up')
  return { state, boot }
}

/** Brought up once, and all that was to be run passed. */
function good(): SampleJournal {
  return sampleJournal(plan)
    .test(environment, bootTestId, 'pass', { seen: ['ok start', 'ok connect'] })
    .test(environment, drift, 'pass')
}

t.test('the bring-up counts as a result, and a run without it is incomplete', async t => {
  t.equal(exitCodeOf(fold(good()).state), 0)
  const { state, boot } = fold(sampleJournal(plan).test(environment, drift, 'pass'))
  t.equal(boot.verdict, 'not-run')
  t.equal(exitCodeOf(state), 3)
})

t.test('further guests of an environment that come up too are no contradiction', async t => {
  const { state, boot } = fold(good().test(environment, bootTestId, 'pass', { attempt: 2, instance: 'i2' }))
  t.same(state.problems, [])
  t.match(boot, { verdict: 'pass', flaky: false })
  t.equal(boot.attempts.length, 2)
})

for (const [verdict, code] of [
  ['fail', 1],
  ['error', 3],
] as const) {
  t.test(`a later bring-up that ends as ${verdict} outweighs an earlier one that passed`, async t => {
    const { state, boot } = fold(
      good().test(environment, bootTestId, verdict, { attempt: 2, instance: 'i2' }),
    )
    t.match(boot, { verdict, flaky: false })
    t.same(
      boot.attempts.map(attempt => attempt.verdict),
      ['pass', verdict],
    )
    t.equal(exitCodeOf(state), code)
  })
}

t.test('nothing that comes after a final failure makes it green, not even in a later session', async t => {
  const { state, boot } = fold(
    good()
      .test(environment, bootTestId, 'fail', { attempt: 2, instance: 'i2' })
      .session()
      .test(environment, bootTestId, 'pass', { attempt: 3, instance: 'i3' }),
  )
  t.equal(boot.verdict, 'fail')
  t.match(state.problems, [/goes on after its final result/])
})

t.test('a bring-up that was tried again and came up is flaky', async t => {
  const { state, boot } = fold(
    good()
      .test(environment, bootTestId, 'error', { attempt: 2, instance: 'i2', final: false })
      .test(environment, bootTestId, 'pass', { attempt: 3, instance: 'i3' }),
  )
  t.same(state.problems, [])
  t.match(boot, { verdict: 'pass', flaky: true })
})

t.test('a bring-up without an end, the last one, is not a pass', async t => {
  const journal = good().add({
    type: 'test-started',
    environment,
    test: bootTestId,
    attempt: 2,
    instance: 'i2',
  })
  t.match(fold(journal).boot, { verdict: 'error', cause: 'runner' })
})

t.test('a bring-up that is said to have passed without a step that was done is none', async t => {
  const { boot } = fold(sampleJournal(plan).test(environment, bootTestId, 'pass', { seen: [] }))
  t.match(boot, { verdict: 'error', cause: 'runner' })
})
