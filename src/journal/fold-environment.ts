import type { PlannedEnvironment } from '../plan/types.js'
import type { JournalEvent, Verdict } from './events.js'
import { foldTest, type TestFold } from './fold-test.js'
import type { Counts, EnvironmentState, InstanceState, TestState } from './state.js'
import { stopwatch } from './stopwatch.js'

/** An event that belongs to one environment. */
type EnvironmentEvent = Extract<JournalEvent, { readonly environment: string }>

/** Gathers the events of one planned environment. */
export interface EnvironmentFold {
  add(event: EnvironmentEvent, problems: string[]): void
  state(): EnvironmentState
  test(id: string): TestState | undefined
  problems(): readonly string[]
}

/** Events of an environment that change nothing but its clock. */
function isAboutTheWhole(event: EnvironmentEvent): event is Extract<
  EnvironmentEvent,
  {
    readonly type: 'environment-ended' | 'environment-moved' | 'lease-awaited' | 'lease-taken' | 'waiting'
  }
> {
  return ['environment-ended', 'environment-moved', 'lease-awaited', 'lease-taken', 'waiting'].includes(
    event.type,
  )
}

/** Starts to gather what the journal says about one planned environment. */
export function foldEnvironment(planned: PlannedEnvironment): EnvironmentFold {
  const tests = new Map<string, TestFold>(planned.tests.map(test => [test.id, foldTest(planned.id, test)]))
  const instances = new Map<string, InstanceState>()
  const clock = stopwatch({ fromStart: false })
  // States are asked for far more often than they change: by each report, of all environments.
  let known: { readonly state: EnvironmentState; readonly problems: readonly string[] } | null = null
  let ended = false
  let startedAt: string | null = null

  function add(event: EnvironmentEvent, problems: string[]): void {
    known = null
    clock.tick(event)
    startedAt ??= event.at
    // What is removed for it afterwards, by a later session, does not begin it anew.
    ended = event.type === 'environment-ended' || (ended && event.type === 'instance-ended')
    if (isAboutTheWhole(event)) return
    if ('test' in event) {
      const test = tests.get(event.test)
      if (test === undefined) problems.push(`the plan has no test ${event.test} in ${planned.id}`)
      else test.add(event)
    } else if (event.type === 'instance-started') {
      const { instance: id, host, attempt, at, peer = null } = event
      const nothingYet = { ready: null, failure: null, unexpected: [], ended: null }
      instances.set(id, { id, host, attempt, peer, startedAt: at, ...nothingYet })
    } else {
      const instance = instances.get(event.instance)
      if (instance === undefined) problems.push(`no instance ${event.instance} was started in ${planned.id}`)
      else instances.set(event.instance, { ...instance, ...changeOf(event, instance) })
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

  function judged(): NonNullable<typeof known> {
    known ??= { state: state(), problems: [...tests.values()].flatMap(test => test.problems()) }
    return known
  }

  return {
    add,
    state: () => judged().state,
    test: id => tests.get(id)?.state(),
    problems: () => judged().problems,
  }
}

type InstanceEvent = Extract<
  JournalEvent,
  {
    readonly type:
      | 'instance-ready'
      | 'instance-failed'
      | 'instance-moved'
      | 'instance-restarted'
      | 'instance-ended'
  }
>

function changeOf(event: InstanceEvent, { unexpected }: InstanceState): Partial<InstanceState> {
  switch (event.type) {
    case 'instance-ready': {
      const { bootIdentity, hostKey, factsDigest, facts } = event
      return { ready: { bootIdentity, hostKey, factsDigest, facts } }
    }
    case 'instance-failed':
      return { failure: { cause: event.cause, message: event.message } }
    case 'instance-moved': {
      const text = `from ${event.from} to ${event.to}`
      return { unexpected: [...unexpected, { type: 'moved', at: event.at, text }] }
    }
    case 'instance-restarted': {
      const text = `${event.reason} (${event.cause})`
      return { unexpected: [...unexpected, { type: 'restarted', at: event.at, text }] }
    }
    case 'instance-ended': {
      const { undone, orphan, kept, evidence } = event
      return { ended: { undone, orphan, kept, evidence } }
    }
  }
}

/** Adds counts up. */
export function sumCounts(all: readonly Counts[]): Counts {
  const counts: Record<Verdict, number> = { ...noCounts }
  for (const one of all) {
    for (const verdict of Object.keys(noCounts) as Verdict[]) counts[verdict] += one[verdict]
  }
  return counts
}

const noCounts: Counts = { pass: 0, fail: 0, error: 0, skip: 0, blocked: 0, 'not-run': 0 }

/** Counts tests by verdict; every verdict has its number. */
export function countVerdicts(tests: readonly TestState[]): Counts {
  const counts: Record<Verdict, number> = { ...noCounts }
  for (const test of tests) counts[test.verdict] += 1
  return counts
}
