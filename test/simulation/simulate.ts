import { createHash } from 'node:crypto'
import type { Host } from '../../src/config/model.js'
import { noHistory } from '../../src/engine/estimate.js'
import { ModuleHosts } from '../../src/engine/modules/hosts.js'
import { runPlan } from '../../src/engine/run.js'
import type { Emit } from '../../src/engine/settings.js'
import type { Driver } from '../../src/hypervisors/driver.js'
import type { JournalEvent } from '../../src/journal/events.js'
import { foldRun } from '../../src/journal/fold.js'
import type { EnvironmentState } from '../../src/journal/state.js'
import { reclaim } from '../../src/run/reclaim.js'
import { Redactor } from '../../src/text/redactor.js'
import { type Ran, violations } from './laws.js'
import { Random } from './random.js'
import { connectToScripted } from './scripted-guest.js'
import { scriptedHost, simulatedDriver } from './scripted-host.js'
import { scriptedLeases } from './scripted-leases.js'
import type { Session } from './session.js'
import { Truth } from './truth.js'
import type { VirtualTime } from './virtual-time.js'
import { drawWorld, type World } from './world.js'

/** What one simulated run showed. */
export interface Simulated {
  readonly seed: number
  readonly violations: readonly string[]
  /** Over all events with their times: the same for the same seed. */
  readonly digest: string
  readonly events: readonly JournalEvent[]
  readonly truth: Truth
}

const death = new Error('the runner died')

interface SessionRequest {
  readonly world: World
  readonly random: Random
  readonly truth: Truth
  readonly folder: string
  readonly session: Session
  readonly stop: AbortController
  /** What has been written so far, by the sessions before as well. */
  readonly events: readonly JournalEvent[]
  readonly emit: Emit
}

/** One session, from its beginning to its end or to the death of its runner. */
async function runSession(request: SessionRequest): Promise<void> {
  const { world, random, truth, folder, session, stop, events, emit } = request
  const { plan, lab } = world
  const { epoch } = session
  emit({ type: 'session-started', session: `simulated-${epoch}`, epoch, runner: 'simulator' })
  const drivers = new Map<string, Driver>()
  for (const host of lab.hosts.values()) {
    drivers.set(host.id, scriptedHost(host, world, random, truth, session))
  }
  const driverOf = (host: Host): Driver =>
    drivers.get(host.id) ?? scriptedHost(host, world, random, truth, session)
  const leases = scriptedLeases(world, random, truth, session)
  const drain = new AbortController()
  const timers = [
    [world.drainAtMs, drain],
    [world.stopAtMs, stop],
  ].flatMap(([at, controller]) =>
    typeof at !== 'number' || !(controller instanceof AbortController)
      ? []
      : [setTimeout(() => controller.abort(new Error('interrupted')), at)],
  )
  const modules = new ModuleHosts()
  const run = 'simulated'
  const leftBy = (events: readonly JournalEvent[]): ReadonlyMap<string, EnvironmentState> =>
    new Map(foldRun(plan, events).environments.map(one => [one.planned.id, one]))
  try {
    if (epoch > 1) {
      const signal = stop.signal
      const left = leftBy(events)
      await reclaim({ plan, lab, run, left, driverOf, leases, emit, isNew: () => false, signal })
    }
    await runPlan({
      plan,
      lab,
      suites: world.suites,
      run,
      folder,
      driverOf,
      connect: connectToScripted,
      emit,
      redactor: new Redactor([]),
      leases,
      modules,
      ...(epoch > 1 ? { left: leftBy(events) } : {}),
      keep: 'never',
      parallel: lab.parallel,
      retries: lab.retries,
      history: noHistory,
      drain: drain.signal,
      stop: stop.signal,
    })
  } finally {
    modules.close()
    for (const timer of timers) {
      clearTimeout(timer)
    }
  }
}

/** Draws a lab, a plan and all that goes wrong from a seed, and runs it on the simulated clock. `folder` takes evidence. */
export async function simulate(seed: number, folder: string, time: VirtualTime): Promise<Simulated> {
  const random = new Random(seed)
  const world = drawWorld(random, simulatedDriver)
  const truth = new Truth()
  time.begin()
  const startedAt = time.now()
  const now = (): number => Math.round(time.now() - startedAt)
  const events: JournalEvent[] = []
  const { plan, lab } = world
  tell({ epoch: 1, now, isDead: () => false })({
    type: 'run-opened',
    run: 'simulated',
    planDigest: plan.digest,
    expected: plan.expected,
    lab: lab.name,
    harness: 'simulator',
    waiversDigest: null,
  })
  const { diesAtMs } = world
  let thrown: unknown = null
  for (let epoch = 1, isOver = false; !isOver; epoch += 1) {
    const stop = new AbortController()
    const session: Session = { epoch, now, isDead: () => stop.signal.aborted && stop.signal.reason === death }
    const dies = epoch === 1 && diesAtMs !== null ? setTimeout(() => stop.abort(death), diesAtMs) : null
    isOver = true
    try {
      await time.drive(
        runSession({ world, random, truth, folder, session, stop, events, emit: tell(session) }),
      )
    } catch (error) {
      isOver = !session.isDead()
      thrown = isOver ? error : null
    }
    clearTimeout(dies ?? undefined)
    if (session.isDead()) {
      truth.trouble('runner died')
      isOver = false
    }
  }

  /** What a dead runner still says is written nowhere. */
  function tell({ epoch, isDead }: Session): Emit {
    return body => {
      if (!isDead()) {
        const at = new Date().toISOString()
        events.push({ v: 1, seq: events.length + 1, epoch, at, ms: now(), ...body })
      }
    }
  }
  const ran: Ran = { world, truth, events, thrown, tookMs: now() }
  const digest = createHash('sha256').update(JSON.stringify(events)).digest('hex')
  return { seed, violations: violations(ran), digest, events, truth }
}
