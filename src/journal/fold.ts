import type { Plan, PlannedEnvironment } from '../plan/types.js'
import type { EventBody, JournalEvent, RunClosed, Verdict } from './events.js'
import { foldTest, type TestFold } from './fold-test.js'
import type { Counts, EnvironmentState, InstanceState, RunState, SessionState, TestState } from './state.js'

/** Takes events as they come and says, at any moment, what they come to. */
export interface RunFold {
  add(event: JournalEvent): void
  /** What the events so far say about the whole plan. */
  state(): RunState
  /** The same for one environment; `undefined` when the plan has none of that id. */
  environment(id: string): EnvironmentState | undefined
  /** The same for one test of one environment. */
  test(environment: string, id: string): TestState | undefined
}

/** What a journal says about a plan: every planned test, whatever happened. */
export function foldRun(plan: Plan, events: Iterable<JournalEvent>): RunState {
  const fold = openFold(plan)
  for (const event of events) fold.add(event)
  return fold.state()
}

/** Like {@link foldRun}, for events that are still to come. */
export function openFold(plan: Plan): RunFold {
  const environments = new Map(plan.environments.map(planned => [planned.id, foldEnvironment(planned)]))
  const sessions: SessionState[] = []
  const clock = stopwatch({ fromStart: true })
  const problems: string[] = []
  let opened: (JournalEvent & { type: 'run-opened' }) | null = null
  let closed: RunClosed | null = null

  function add(event: JournalEvent): void {
    clock.tick(event)
    if ('environment' in event) {
      const environment = environments.get(event.environment)
      if (environment === undefined) problems.push(`the plan has no environment ${event.environment}`)
      else environment.add(event, problems)
    } else if (event.type === 'run-opened') {
      opened ??= event
      if (event.planDigest !== plan.digest) problems.push('the journal is of another plan')
      if (event.expected !== expectedOf(plan)) {
        problems.push(`the journal expects ${event.expected} results, the plan has ${expectedOf(plan)}`)
      }
    } else if (event.type === 'session-started') {
      const { session: id, epoch, runner, at: startedAt } = event
      sessions.push({ id, epoch, runner, startedAt })
      // A resumed run is closed only by its own end.
      closed = null
    } else {
      closed = event
    }
  }

  return {
    add,
    environment: id => environments.get(id)?.state(),
    test: (environment, id) => environments.get(environment)?.test(id),
    state: () => {
      const states = [...environments.values()].map(environment => environment.state())
      const found = [...environments.values()].flatMap(environment => environment.problems())
      return {
        run: opened?.run ?? null,
        lab: plan.lab,
        harness: opened?.harness ?? null,
        planDigest: plan.digest,
        openedAt: opened?.at ?? null,
        durationMs: clock.durationMs(),
        sessions: [...sessions],
        closed,
        environments: states,
        counts: countVerdicts(states.flatMap(environment => environment.tests)),
        flaky: states.reduce((sum, environment) => sum + environment.flaky, 0),
        problems: [...new Set([...problems, ...found])],
      }
    },
  }
}

type EnvironmentEvent = Extract<JournalEvent, { readonly environment: string }>

interface EnvironmentFold {
  add(event: EnvironmentEvent, problems: string[]): void
  state(): EnvironmentState
  test(id: string): TestState | undefined
  problems(): readonly string[]
}

function foldEnvironment(planned: PlannedEnvironment): EnvironmentFold {
  const tests = new Map<string, TestFold>(planned.tests.map(test => [test.id, foldTest(planned.id, test)]))
  const instances = new Map<string, InstanceState>()
  const clock = stopwatch({ fromStart: false })
  let known: EnvironmentState | null = null
  let ended = false
  let startedAt: string | null = null

  function add(event: EnvironmentEvent, problems: string[]): void {
    known = null
    clock.tick(event)
    startedAt ??= event.at
    ended = event.type === 'environment-ended'
    if (event.type === 'environment-ended') return
    if ('test' in event) {
      const test = tests.get(event.test)
      if (test === undefined) problems.push(`the plan has no test ${event.test} in ${planned.id}`)
      else test.add(event)
    } else if (event.type === 'instance-started') {
      const { instance: id, host, attempt, at } = event
      instances.set(id, { id, host, attempt, startedAt: at, ready: null, failure: null, ended: null })
    } else {
      const instance = instances.get(event.instance)
      if (instance === undefined) problems.push(`no instance ${event.instance} was started in ${planned.id}`)
      else instances.set(event.instance, { ...instance, ...changeOf(event) })
    }
  }

  function state(): EnvironmentState {
    const states = [...tests.values()].map(test => test.state())
    return {
      planned,
      ended,
      startedAt,
      durationMs: clock.durationMs(),
      instances: [...instances.values()],
      tests: states,
      counts: countVerdicts(states),
      flaky: states.filter(test => test.flaky).length,
    }
  }

  return {
    add,
    state: () => {
      known ??= state()
      return known
    },
    test: id => tests.get(id)?.state(),
    problems: () => [...tests.values()].flatMap(test => test.problems()),
  }
}

type InstanceEvent = Extract<
  EventBody,
  { readonly type: 'instance-ready' | 'instance-failed' | 'instance-ended' }
>

function changeOf(event: InstanceEvent): Partial<InstanceState> {
  switch (event.type) {
    case 'instance-ready': {
      const { bootIdentity, hostKey, factsDigest, facts } = event
      return { ready: { bootIdentity, hostKey, factsDigest, facts } }
    }
    case 'instance-failed':
      return { failure: { cause: event.cause, message: event.message } }
    case 'instance-ended': {
      const { undone, orphan, kept, evidence } = event
      return { ended: { undone, orphan, kept, evidence } }
    }
  }
}

/** Counts tests by verdict; every verdict has its number. */
export function countVerdicts(tests: readonly TestState[]): Counts {
  const counts: Record<Verdict, number> = { pass: 0, fail: 0, error: 0, skip: 0, blocked: 0, 'not-run': 0 }
  for (const test of tests) counts[test.verdict] += 1
  return counts
}

/** How many results the plan's environments come to. */
function expectedOf(plan: Plan): number {
  return plan.environments.reduce((sum, environment) => sum + environment.tests.length, 0)
}

interface Stopwatch {
  tick(event: JournalEvent): void
  durationMs(): number
}

/** Adds up each session's monotonic time, from its start or from its first event, to its last event. */
function stopwatch({ fromStart }: { fromStart: boolean }): Stopwatch {
  const spans = new Map<number, { first: number; last: number }>()
  return {
    tick({ epoch, ms }) {
      const span = spans.get(epoch)
      if (span === undefined) spans.set(epoch, { first: fromStart ? 0 : ms, last: ms })
      else span.last = Math.max(span.last, ms)
    },
    durationMs: () => [...spans.values()].reduce((sum, { first, last }) => sum + last - first, 0),
  }
}
