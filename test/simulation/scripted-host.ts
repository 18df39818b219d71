import { InfraError } from '../../src/config/errors.js'
import type { Host } from '../../src/config/model.js'
import type { Driver, GuestRequest, Instance, Leftover } from '../../src/hypervisors/driver.js'
import type { DriverModule } from '../../src/hypervisors/module.js'
import { readInstanceName } from '../../src/hypervisors/shared/names.js'
import { onAbort } from '../../src/remote/index.js'
import { forever, pause } from './pause.js'
import type { Random } from './random.js'
import { ScriptedGuest } from './scripted-guest.js'
import type { Session } from './session.js'
import type { Truth } from './truth.js'
import type { World } from './world.js'

/** How one call of a host goes. */
type Course = 'well' | 'fails' | 'hangs' | 'ignores' | 'half'

/** What the plan and the engine ask of the driver; the code behind it is {@link scriptedHost}. */
export const simulatedDriver: DriverModule = {
  name: 'simulated',
  title: 'Simulated',
  startsGuests: true,
  needsConnect: false,
  migrates: false,
  ownMachines: false,
  cleanStates: ['overlay', 'snapshot'],
  placementMistakes: () => [],
  open: () => {
    throw new Error('drivers of a simulated run are made by the simulator')
  },
}

/** A host whose every answer, fault and delay is drawn from the seed. */
export function scriptedHost(
  host: Host,
  world: World,
  random: Random,
  truth: Truth,
  { epoch, now, isDead }: Session,
): Driver {
  const diesAtMs = world.hostDiesAtMs.get(host.id) ?? Number.POSITIVE_INFINITY
  let calls = 0

  /** One call: how long it takes, and how it ends. `make` is what it does when it goes well. */
  async function call<T>(what: string, signal: AbortSignal, make: () => T): Promise<T> {
    calls += 1
    const name = `${host.id} ${what} ${epoch === 1 ? '' : `${epoch}/`}${calls}`
    if (isDead()) {
      throw trouble('connect', `${what}: its runner is dead`)
    }
    const unlessDead = (): T => {
      if (isDead()) {
        throw trouble('connect', `${what}: its runner died meanwhile`)
      }
      return make()
    }
    if (now() >= diesAtMs) {
      truth.trouble('dead host')
      await pause(random.happens(`${name} hangs`, 0.5) ? forever : 1_000, signal)
      throw trouble('connect', `${what}: no route to host`)
    }
    const course = world.isCalm ? 'well' : drawCourse(random, name)
    if (course !== 'well') {
      truth.trouble(`${what.split(' ')[0]} ${course}`)
    }
    const takesMs = random.ms(`${name} takes`, 50, 15_000)
    if (course === 'ignores') {
      await pause(takesMs + 90_000)
      return unlessDead()
    }
    await pause(course === 'hangs' ? forever : takesMs, signal)
    if (course === 'half') {
      unlessDead()
    }
    if (course !== 'well') {
      throw trouble('command', `${what}: it failed`)
    }
    return unlessDead()
  }

  function trouble(code: 'connect' | 'command', message: string): InfraError {
    return new InfraError(`${host.id}: ${message}`, { cause: 'host', where: host.id, code })
  }

  const removeInstance = (instance: string, signal: AbortSignal): Promise<void> =>
    call(`remove ${instance}`, signal, () => truth.went(host.id, instance))

  function leftover(name: string): Leftover {
    const parts = readInstanceName(name)
    const { guest } = world.plan.environments[(parts?.environment ?? 0) - 1] ?? {}
    const placement = world.lab.guests.get(guest?.id ?? '')?.on.find(on => on.host === host.id)
    const shared = placement?.clean.kind === 'snapshot'
    return { name, run: parts?.run ?? null, what: 'a simulated VM', shared, kept: false }
  }

  function instanceOf({ instance, guest }: GuestRequest): Instance {
    const environment = world.plan.environments.find(({ guest: { id } }) => id === guest.id)
    const scripted = new ScriptedGuest({
      instance,
      random,
      truth,
      isCalm: world.isCalm,
      isDead,
      tests: new Map((environment?.tests ?? []).map(test => [test.file, test])),
    })
    /** Work that may have been given up and still goes on. */
    let working: Promise<unknown> = Promise.resolve()
    let mayBeThere = false
    const tracked = <T>(work: Promise<T>): Promise<T> => {
      working = work.then(
        () => {
          mayBeThere = true
        },
        (error: unknown) => {
          mayBeThere ||= !(error instanceof InfraError && error.context.code === 'connect')
        },
      )
      return work
    }
    const handle: Instance = {
      keepHint: instance,
      prepare: async signal => {
        await tracked(call(`prepare ${instance}`, signal, () => truth.came(host.id, instance)))
        return handle
      },
      start: signal =>
        tracked(
          call(`start ${instance}`, signal, () =>
            scripted.start(until => call(`stop ${instance}`, until, () => {})),
          ),
        ),
      remove: async signal => {
        let ignore = (): void => {}
        const ended = new Promise<never>((_, reject) => {
          ignore = onAbort(signal, () => reject(signal.reason))
        })
        ended.catch(() => {})
        await Promise.race([working, ended]).finally(() => ignore())
        if (mayBeThere) {
          await removeInstance(instance, signal)
        }
      },
    }
    return handle
  }

  return {
    name: simulatedDriver.name,
    abilities: () => new Set(),
    facts: signal => call('facts', signal, () => ({})),
    instance: instanceOf,
    leftovers: signal => call('list', signal, () => [...(truth.there.get(host.id) ?? [])].map(leftover)),
    clean: (instance, signal) => removeInstance(instance, signal),
    close: async () => {},
  }
}

function drawCourse(random: Random, name: string): Course {
  const courses: [Course, ...Course[]] = [
    ...(Array<Course>(30).fill('well') as [Course, ...Course[]]),
    'fails',
    'hangs',
    'ignores',
    'half',
  ]
  return random.pick(name, courses)
}
