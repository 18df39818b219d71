import { createHash } from 'node:crypto'
import { noHistory } from '../../src/engine/estimate.js'
import { ModuleHosts } from '../../src/engine/modules/hosts.js'
import { runPlan } from '../../src/engine/run.js'
import type { Driver } from '../../src/hypervisors/driver.js'
import type { EventBody, JournalEvent } from '../../src/journal/events.js'
import { Redactor } from '../../src/text/redactor.js'
import { type Ran, violations } from './laws.js'
import { Random } from './random.js'
import { connectToScripted } from './scripted-guest.js'
import { scriptedHost, simulatedDriver } from './scripted-host.js'
import { scriptedLeases } from './scripted-leases.js'
import { Truth } from './truth.js'
import type { VirtualTime } from './virtual-time.js'
import { drawWorld } from './world.js'

/** What one simulated run showed. */
export interface Simulated {
  readonly seed: number
  readonly violations: readonly string[]
  /** Over all events with their times: the same for the same seed. */
  readonly digest: string
  readonly events: readonly JournalEvent[]
  readonly truth: Truth
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
  const emit = (body: EventBody): void => {
    const at = new Date().toISOString()
    events.push({ v: 1, seq: events.length + 1, epoch: 1, at, ms: now(), ...body })
  }
  const { plan, lab } = world
  emit({
    type: 'run-opened',
    run: 'simulated',
    planDigest: plan.digest,
    expected: plan.expected,
    lab: lab.name,
    harness: 'simulator',
    waiversDigest: null,
  })
  emit({ type: 'session-started', session: 'simulated-1', epoch: 1, runner: 'simulator' })
  const drivers = new Map<string, Driver>()
  for (const host of lab.hosts.values()) {
    drivers.set(host.id, scriptedHost(host, world, random, truth, now))
  }
  const [drain, stop] = [new AbortController(), new AbortController()]
  const timers = [
    [world.drainAtMs, drain],
    [world.stopAtMs, stop],
  ].flatMap(([at, controller]) =>
    at === null || typeof at !== 'number' || !(controller instanceof AbortController)
      ? []
      : [setTimeout(() => controller.abort(new Error('interrupted')), at)],
  )
  const modules = new ModuleHosts()
  let thrown: unknown = null
  try {
    await time.drive(
      runPlan({
        plan,
        lab,
        suites: world.suites,
        run: 'simulated',
        folder,
        driverOf: host => drivers.get(host.id) ?? scriptedHost(host, world, random, truth, now),
        connect: connectToScripted,
        emit,
        redactor: new Redactor([]),
        leases: scriptedLeases(world, random, truth, now),
        modules,
        keep: 'never',
        parallel: lab.parallel,
        retries: lab.retries,
        history: noHistory,
        drain: drain.signal,
        stop: stop.signal,
      }),
    )
  } catch (error) {
    thrown = error
  }
  modules.close()
  for (const timer of timers) {
    clearTimeout(timer)
  }
  const ran: Ran = { world, truth, events, thrown, tookMs: now() }
  const digest = createHash('sha256').update(JSON.stringify(events)).digest('hex')
  return { seed, violations: violations(ran), digest, events, truth }
}
