import type { JournalEvent } from '../../src/journal/events.js'
import { foldRun } from '../../src/journal/fold.js'
import type { TestState } from '../../src/journal/state.js'
import { bootTestId, isBringUp } from '../../src/plan/boot.js'
import type { PlannedTest } from '../../src/plan/types.js'
import type { Truth } from './truth.js'
import { limits, type World } from './world.js'

/** What a simulated run left. */
export interface Ran {
  readonly world: World
  readonly truth: Truth
  readonly events: readonly JournalEvent[]
  /** What the engine threw, if it did. */
  readonly thrown: unknown
  /** How long it took on the simulated clock. */
  readonly tookMs: number
}

/** Steps of an instance that are undone one after the other. */
const undoSteps = 5
const slackMs = 60_000

/** What a run violated, in words; nothing when it kept every law. */
export function violations(ran: Ran): string[] {
  return [
    ...resultsAreThePlannedTests(ran),
    ...passesWereGiven(ran),
    ...failuresAreTheGuests(ran),
    ...nothingIsLeft(ran),
    ...whatHostsDidIsTold(ran),
    ...hostsKeepTheirCapacity(ran),
    ...testsRunAlone(ran),
    ...waitsAreBounded(ran),
    ...calmRunsPass(ran),
    ...crashesOfTheRunnerInventNothing(ran),
  ]
}

function resultsAreThePlannedTests({ world, events, thrown }: Ran): string[] {
  const state = foldRun(world.plan, events)
  const found = state.problems.map(problem => `the journal contradicts itself: ${problem}`)
  if (thrown !== null) {
    found.push(`the engine threw ${String(thrown)}`)
  }
  const finals = new Map<string, number>()
  for (const event of events) {
    // Each bring-up that came to its end is one result; the last one is the environment's.
    if (event.type === 'test-ended' && event.final && event.test !== bootTestId) {
      // A later session tries again what was not carried out, and nothing else.
      const stands = event.verdict === 'pass' || event.verdict === 'fail' || event.verdict === 'skip'
      const key = `${event.environment} ${event.test}${stands ? '' : ` in session ${event.epoch}`}`
      finals.set(key, (finals.get(key) ?? 0) + 1)
    }
  }
  for (const [key, times] of finals) {
    if (times > 1) {
      found.push(`${key} has ${times} final results`)
    }
  }
  const isWhole = world.drainAtMs === null && world.stopAtMs === null
  for (const { planned, tests, ended } of state.environments) {
    for (const test of tests) {
      if (isWhole && !test.settled) {
        found.push(`${planned.id} ${test.planned.id} has no result in a run that nobody interrupted`)
      }
    }
    if (isWhole && !ended) {
      found.push(`${planned.id} never ended`)
    }
  }
  return found
}

function testsOf({ world, events }: Pick<Ran, 'world' | 'events'>): readonly TestState[] {
  return foldRun(world.plan, events).environments.flatMap(({ tests }) => tests)
}

function passesWereGiven({ events, truth, world }: Ran): string[] {
  const hosts = hostsOf(events)
  return events.flatMap(event => {
    if (event.type !== 'test-ended' || event.verdict !== 'pass' || event.test === bootTestId) {
      return []
    }
    const found: string[] = []
    if (!truth.passesGiven.has(`${event.instance} ${event.test}`)) {
      found.push(`${event.test} passed on ${event.instance}, whose script gave no pass`)
    }
    const host = hosts.get(event.instance ?? '') ?? ''
    if (event.ms > (truth.leaseEnds.get(`${event.epoch} ${host}`) ?? Number.POSITIVE_INFINITY)) {
      found.push(`${event.test} passed on ${event.instance} after ${host} was somebody else's`)
    }
    if (!world.plan.environments.some(({ id }) => id === event.environment)) {
      found.push(`${event.environment} is not planned`)
    }
    return found
  })
}

/** No sound guest is blamed: a failure needs a check that failed, or a guest that broke. */
function failuresAreTheGuests({ events, truth }: Ran): string[] {
  return events.flatMap(event =>
    event.type === 'test-ended' &&
    event.verdict === 'fail' &&
    !truth.failuresGiven.has(`${event.instance} ${event.test}`) &&
    !truth.brokenGuests.has(event.instance ?? '')
      ? [`${event.test} failed on ${event.instance}, where nothing was wrong with the guest: ${event.reason}`]
      : [],
  )
}

/** What hosts did unexpectedly stands in the journal, once each, and nothing else does. */
function whatHostsDidIsTold({ events, truth }: Ran): string[] {
  const told = events.flatMap(event =>
    event.type === 'instance-moved' || event.type === 'instance-restarted'
      ? [`${event.instance} ${event.type.slice('instance-'.length)}`]
      : [],
  )
  const [done, said] = [truth.unexpected.join(', '), told.join(', ')]
  return done === said ? [] : [`hosts did "${done}" unexpectedly, and the journal says "${said}"`]
}

function nothingIsLeft({ events, truth }: Ran): string[] {
  const orphans = new Map<string, string | null>()
  for (const event of events) {
    if (event.type === 'instance-ended') {
      orphans.set(event.instance, event.orphan)
    }
  }
  const begun = events.filter(event => event.type === 'instance-started')
  return [
    ...begun.flatMap(({ instance }) => (orphans.has(instance) ? [] : [`${instance} never ended`])),
    ...[...truth.there].flatMap(([host, there]) =>
      [...there].flatMap(instance =>
        orphans.get(instance) == null ? [`${instance} is left on ${host}, and not named as an orphan`] : [],
      ),
    ),
  ]
}

function hostsKeepTheirCapacity({ events, world }: Ran): string[] {
  const active = new Map<string, Set<string>>()
  const hosts = hostsOf(events)
  const found: string[] = []
  for (const event of events) {
    if (event.type === 'instance-started') {
      const on = active.get(event.host) ?? new Set()
      on.add(event.instance)
      active.set(event.host, on)
      const { guests } = world.lab.hosts.get(event.host)?.capacity ?? { guests: 0 }
      if (on.size > guests) {
        found.push(`${event.host} serves ${on.size} guests, and has room for ${guests}`)
      }
    } else if (event.type === 'instance-ended') {
      active.get(hosts.get(event.instance) ?? '')?.delete(event.instance)
    }
  }
  const all = [...active.values()].reduce((sum, { size }) => sum + size, 0)
  return all === 0 ? found : [...found, `${all} instances were never ended`]
}

/** Only tests that say so have others beside them, and not more than the limit. */
function testsRunAlone({ events, world, truth }: Ran): string[] {
  const planned = new Map<string, PlannedTest>()
  for (const { id, tests } of world.plan.environments) {
    for (const test of tests) {
      planned.set(`${id} ${test.id}`, test)
    }
  }
  const running = new Map<string, Set<string>>()
  return events.flatMap(event => {
    if (event.type === 'session-started') {
      // What a dead runner had under way runs no more.
      running.clear()
    }
    if ((event.type !== 'test-started' && event.type !== 'test-ended') || event.test === bootTestId) {
      return []
    }
    const there = running.get(event.environment) ?? new Set<string>()
    running.set(event.environment, there)
    const key = `${event.environment} ${event.test}`
    if (event.type === 'test-ended') {
      there.delete(key)
      return []
    }
    there.add(key)
    if (there.size === 1) {
      return []
    }
    truth.trouble('side by side')
    const isAllowed =
      there.size <= limits.parallelTests && [...there].every(one => planned.get(one)?.parallel === true)
    return isAllowed ? [] : [`${[...there].join(' and ')} ran at once`]
  })
}

function waitsAreBounded({ world, tookMs }: Ran): string[] {
  const undoMs = undoSteps * limits.undo + slackMs
  const environments = world.plan.environments.length
  // One after the other at worst, each on as many instances as it has tests and retries.
  const instances = world.lab.retries + 5
  const mostMs = environments * (limits.environment + limits.leaseWait + instances * (undoMs + limits.health))
  const sessions = world.diesAtMs === null ? 1 : 2
  const found =
    tookMs > sessions * mostMs ? [`it took ${tookMs} ms, and no limit allows more than ${mostMs}`] : []
  const { stopAtMs } = world
  if (stopAtMs !== null && tookMs > stopAtMs + undoMs) {
    found.push(`it ended ${tookMs - stopAtMs} ms after it was told to stop, and undoing takes ${undoMs}`)
  }
  return found
}

function calmRunsPass(ran: Ran): string[] {
  return ran.world.isCalm
    ? testsOf(ran).flatMap(({ verdict, planned, reason, flaky }) =>
        verdict === 'pass' && !flaky
          ? []
          : [`${planned.id} is ${flaky ? 'flaky' : verdict} where nothing went wrong: ${reason}`],
      )
    : []
}

/** A runner that dies leaves the beginning of its journal: no pass in it that was not given, and no result missing. */
function crashesOfTheRunnerInventNothing(ran: Ran): string[] {
  const { events, truth, world } = ran
  const cut = Math.floor(events.length / 2)
  const state = foldRun(world.plan, events.slice(0, cut))
  const tests = state.environments.flatMap(environment => environment.tests)
  return [
    ...(tests.length === world.plan.expected
      ? []
      : [`cut at event ${cut}, ${tests.length} results are there`]),
    ...tests.flatMap(({ verdict, decisive, planned }) =>
      verdict !== 'pass' || isBringUp(planned) || truth.passesGiven.has(`${decisive?.instance} ${planned.id}`)
        ? []
        : [`cut at event ${cut}, ${planned.id} passes without a pass`],
    ),
  ]
}

function hostsOf(events: readonly JournalEvent[]): ReadonlyMap<string, string> {
  return new Map(
    events.flatMap(event =>
      event.type === 'instance-started' ? [[event.instance, event.host] as const] : [],
    ),
  )
}
