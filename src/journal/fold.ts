import type { Plan } from '../plan/types.js'
import type { JournalEvent, RunClosed } from './events.js'
import { foldEnvironment, sumCounts } from './fold-environment.js'
import type { EnvironmentState, HostSighting, RunState, SessionState, TestState } from './state.js'
import { stopwatch } from './stopwatch.js'

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
  const hosts: HostSighting[] = []
  const hostsSetAside: RunState['hostsSetAside'][number][] = []
  const clock = stopwatch({ fromStart: true })
  const problems: string[] = []
  let opened: (JournalEvent & { type: 'run-opened' }) | null = null
  let closed: (JournalEvent & RunClosed) | null = null

  function add(event: JournalEvent): void {
    clock.tick(event)
    if ('environment' in event) {
      const environment = environments.get(event.environment)
      if (environment === undefined) problems.push(`the plan has no environment ${event.environment}`)
      else environment.add(event, problems)
    } else if (event.type === 'run-opened') {
      opened ??= event
      if (event.planDigest !== plan.digest) problems.push(otherPlan)
      if (event.expected !== expectedOf(plan)) {
        problems.push(`the journal expects ${event.expected} results, the plan has ${expectedOf(plan)}`)
      }
    } else if (event.type === 'session-started') {
      const { session: id, epoch, runner, at: startedAt } = event
      sessions.push({ id, epoch, runner, startedAt })
      // A resumed run is closed only by its own end.
      closed = null
    } else if (event.type === 'host-observed') {
      hosts.push({ host: event.host, facts: event.facts })
    } else if (event.type === 'host-set-aside') {
      const { host, reason } = event
      hostsSetAside.push({ host, reason })
    } else if (event.type === 'run-closed') {
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
        labels: opened?.labels ?? {},
        parents: opened?.parents ?? [],
        planDigest: plan.digest,
        openedAt: opened?.at ?? null,
        closedAt: closed?.at ?? null,
        certify: opened?.certify ?? null,
        durationMs: opened?.parents === undefined ? clock.durationMs() : clock.coveredMs(),
        sessions: [...sessions],
        hosts: [...hosts],
        closed,
        environments: states,
        counts: sumCounts(states.map(environment => environment.counts)),
        flaky: states.reduce((sum, environment) => sum + environment.flaky, 0),
        hostsSetAside: [...hostsSetAside],
        problems: [...new Set([...problems, ...found])],
      }
    },
  }
}

/** The problem of a journal that was written for another plan. */
export const otherPlan = 'the journal is of another plan'

/** How many results the plan's environments come to. */
function expectedOf(plan: Plan): number {
  return plan.environments.reduce((sum, environment) => sum + environment.tests.length, 0)
}
