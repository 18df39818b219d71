import { defaultLimits, type Limits } from '../../src/config/limits.js'
import type { Guest, Host, Lab, Placement } from '../../src/config/model.js'
import type { DriverModule } from '../../src/hypervisors/module.js'
import { bootTest } from '../../src/plan/boot.js'
import type { Suite } from '../../src/plan/suite.js'
import type { Isolation, Plan, PlannedEnvironment, PlannedTest } from '../../src/plan/types.js'
import { sampleEnvironment, sampleTest } from '../sample-run.js'
import type { Random } from './random.js'

/** The limits of a simulated lab: each is reached in some runs. In ms. */
export const limits: Limits = {
  ...defaultLimits,
  boot: 120_000,
  command: 20_000,
  test: 30_000,
  environment: 900_000,
  health: 10_000,
  recovery: 60_000,
  transfer: 30_000,
  undo: 20_000,
  reserve: 60_000,
  leaseWait: 120_000,
}

/** A lab and a plan, drawn from a seed. */
export interface World {
  readonly lab: Lab
  readonly plan: Plan
  readonly suites: ReadonlyMap<string, Suite>
  /** True where nothing ever goes wrong: then everything must pass. */
  readonly isCalm: boolean
  /** When the run is asked to end, and when to stop at once; `null` for never. In ms. */
  readonly drainAtMs: number | null
  readonly stopAtMs: number | null
  /** When the runner dies, to be followed by another session; `null` for never. In ms. */
  readonly diesAtMs: number | null
  /** When a host fails for good; absent for one that does not. In ms. */
  readonly hostDiesAtMs: ReadonlyMap<string, number>
}

const place = { file: 'simulated', line: 1, column: 1 }
const suiteId = 'simulated'

export function drawWorld(random: Random, driver: DriverModule): World {
  const isCalm = random.happens('calm', 0.15)
  const hosts = Array.from({ length: random.integer('hosts', 1, 3) }, (_, at) => drawHost(random, driver, at))
  const drawn = Array.from({ length: random.integer('environments', 1, 4) }, (_, at) =>
    drawEnvironment(random, hosts, at),
  )
  const interrupted = !isCalm && random.happens('interrupted', 0.25)
  const drainAtMs = interrupted ? random.ms('drain', 0, 600_000) : null
  return {
    lab: {
      name: 'simulated',
      file: '/simulated/lab.yaml',
      limits,
      retries: random.integer('retries', 0, 2),
      hostFailures: random.integer('host failures', 1, 2),
      parallel: random.integer('parallel', 1, 4),
      hosts: new Map(hosts.map(host => [host.id, host])),
      guests: new Map(drawn.map(({ guest }) => [guest.id, guest])),
      suites: [],
    },
    plan: {
      lab: 'simulated',
      digest: 'd'.repeat(64),
      expected: drawn.reduce((sum, { environment }) => sum + environment.tests.length, 0),
      limits,
      environments: drawn.map(({ environment }) => environment),
    },
    suites: new Map([[suiteId, suite]]),
    isCalm,
    diesAtMs:
      !interrupted && random.happens('runner dies', 0.3) ? random.ms('runner dies at', 0, 400_000) : null,
    drainAtMs,
    stopAtMs:
      drainAtMs !== null && random.happens('stopped', 0.5) ? drainAtMs + random.ms('stop', 0, 60_000) : null,
    hostDiesAtMs: new Map(
      hosts
        .filter(({ id }) => !isCalm && random.happens(`${id} dies`, 0.2))
        .map(({ id }) => [id, random.ms(`${id} dies at`, 0, 600_000)]),
    ),
  }
}

function drawHost(random: Random, driver: DriverModule, at: number): Host {
  const id = `host-${at + 1}`
  const guests = random.integer(`${id} capacity`, 1, 3)
  const unbounded = Number.POSITIVE_INFINITY
  return {
    id,
    place,
    product: 'simulated',
    version: '1',
    driver,
    capacity: { guests, vcpus: unbounded, memoryBytes: unbounded, locks: [] },
  }
}

function drawEnvironment(
  random: Random,
  hosts: readonly Host[],
  at: number,
): { readonly guest: Guest; readonly environment: PlannedEnvironment } {
  const id = `guest-${at + 1}`
  const first = random.integer(`${id} host`, 0, hosts.length - 1)
  const served = hosts.filter((_, index) => index === first || random.happens(`${id} on ${index}`, 0.5))
  const environmentId = `${id}@simulated-1/small`
  const planned = sampleEnvironment(environmentId, [])
  const clean = random.happens(`${id} clone`, 0.5)
    ? ({ kind: 'overlay', path: '/clean' } as const)
    : ({ kind: 'snapshot', name: 'clean' } as const)
  const on = served.map(
    (host): Placement => ({
      host: host.id,
      place,
      clean,
      viaHost: false,
      configuration: planned.configuration,
    }),
  )
  const { product, version, arch, family, shell } = planned.guest
  const login = { user: 'root', algorithms: 'modern', hostKey: { kind: 'image' } } as const
  const guest = { id, place, product, version, arch, family, shell, login, tags: [], reboot: null, on }
  const tests = Array.from({ length: random.integer(`${id} tests`, 1, 6) }, (_, number) =>
    drawTest(random, id, number),
  )
  return {
    guest,
    environment: {
      ...planned,
      guest: { ...planned.guest, id },
      hosts: served.map(host => host.id),
      tests: [bootTest({ startsGuest: true, family, limits }), ...tests],
    },
  }
}

function drawTest(random: Random, guest: string, number: number): PlannedTest {
  const name = `${guest} test ${number}`
  const follows = number > 0 && random.happens(`${name} follows`, 0.25)
  const isolation = random.pick<Isolation>(`${name} isolation`, [
    'shared',
    'shared',
    'alters-guest',
    'own-instance',
  ])
  return sampleTest(`${suiteId}/t${number}`, {
    protocol: random.pick(`${name} protocol`, ['tap', 'exit']),
    file: `t${number}.sh`,
    limitMs: limits.test,
    isolation,
    ...(isolation === 'shared' && random.happens(`${name} parallel`, 0.6) ? { parallel: true } : {}),
    after: follows ? [`${suiteId}/t${random.integer(`${name} after`, 0, number - 1)}`] : [],
  })
}

const suite: Suite = {
  id: suiteId,
  version: '1.0.0',
  title: 'Simulated',
  folder: '/simulated',
  manifest: 'simulated/suite.yaml',
  digest: 'a'.repeat(64),
  applies: null,
  files: [],
  modules: new Map(),
  tests: [],
}
