import t from 'tap'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../test/sample-run.js'
import type { Verdict } from './events.js'
import { exitCodeOf, exitMeanings, exitPrecedence, meaningOf, type RunEnd, strongestExit } from './exit.js'
import { foldRun } from './fold.js'
import type { RunState } from './state.js'

const environment = 'rhel5@rhel-kvm-9.6/bios'

/** A run whose required and optional tests ended so. */
function run(required: readonly Verdict[], optional: readonly Verdict[] = []): RunState {
  const tests = [
    ...required.map((verdict, index) => ({ test: sampleTest(`r/${index}`), verdict })),
    ...optional.map((verdict, index) => ({ test: sampleTest(`o/${index}`, { level: 'optional' }), verdict })),
  ]
  const plan = samplePlan([
    sampleEnvironment(
      environment,
      tests.map(({ test }) => test),
    ),
  ])
  const journal = sampleJournal(plan)
  for (const { test, verdict } of tests) {
    if (verdict !== 'not-run') journal.test(environment, test.id, verdict)
  }
  return foldRun(plan, journal.events)
}

t.test('the exit code of a run', async t => {
  const cases: readonly (readonly [name: string, state: RunState, end: RunEnd, code: number])[] = [
    ['all required passed', run(['pass', 'pass']), {}, 0],
    ['optional tests do not matter', run(['pass'], ['fail', 'error', 'skip', 'blocked', 'not-run']), {}, 0],
    ['a required failure', run(['pass', 'fail']), {}, 1],
    ['a required error', run(['pass', 'error']), {}, 3],
    ['a required skip', run(['pass', 'skip']), {}, 3],
    ['a required blocked', run(['pass', 'blocked']), {}, 3],
    ['a required test that never ran', run(['pass', 'not-run']), {}, 3],
    ['a failure outranks what is incomplete', run(['error', 'fail', 'not-run']), {}, 1],
    ['an empty choice', run([]), {}, 2],
    ['only optional tests', run([], ['pass']), {}, 0],
    ['interrupted', run(['fail', 'not-run']), { interrupted: true }, 130],
    ['interrupted, though all passed', run(['pass']), { interrupted: true }, 130],
    ['a report that could not be written', run(['pass']), { broken: true }, 4],
    ['a bug outranks an interruption', run(['fail']), { broken: true, interrupted: true }, 4],
    ['a contradiction', { ...run(['pass']), problems: ['the plan has no test x'] }, {}, 4],
  ]
  for (const [name, state, end, code] of cases) t.equal(exitCodeOf(state, end), code, name)
})

t.test('a run that was interrupted stays so when its journal is read again', async t => {
  const state = run(['pass'])
  const closed = {
    type: 'run-closed',
    counts: state.counts,
    flaky: 0,
    exitCode: 130,
    interrupted: true,
  } as const
  t.equal(exitCodeOf({ ...state, closed }), 130)
})

t.test('the strongest code wins', async t => {
  t.same(exitPrecedence, [4, 130, 2, 1, 3, 0])
  for (const [index, strong] of exitPrecedence.entries()) {
    for (const weak of exitPrecedence.slice(index)) {
      t.equal(strongestExit([weak, strong]), strong)
      t.equal(strongestExit([strong, weak]), strong)
    }
  }
  t.equal(strongestExit([]), 4, 'no code at all is not a success')
  t.equal(strongestExit([0, 7]), 4, 'an unknown code is not a success')
})

t.test('every code has a sentence', async t => {
  t.same(
    exitMeanings.map(({ code }) => code),
    [...exitPrecedence].sort((a, b) => a - b),
  )
  t.equal(meaningOf(1), 'A required test failed.')
})
