import { InfraError } from '../../src/config/errors.js'
import type { Host } from '../../src/config/model.js'
import type { Driver, GuestRequest, PreparedGuest } from '../../src/hypervisors/driver.js'
import type { DriverModule } from '../../src/hypervisors/module.js'
import { forever, pause } from './pause.js'
import type { Random } from './random.js'
import { ScriptedGuest } from './scripted-guest.js'
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
  now: () => number,
): Driver {
  const diesAtMs = world.hostDiesAtMs.get(host.id) ?? Number.POSITIVE_INFINITY
  let calls = 0

  /** One call: how long it takes, and how it ends. `make` is what it does when it goes well. */
  async function call<T>(what: string, signal: AbortSignal, make: () => T): Promise<T> {
    calls += 1
    const name = `${host.id} ${what} ${calls}`
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
      return make()
    }
    await pause(course === 'hangs' ? forever : takesMs, signal)
    if (course === 'half') {
      make()
    }
    if (course !== 'well') {
      throw trouble('command', `${what}: it failed`)
    }
    return make()
  }

  function trouble(code: 'connect' | 'command', message: string): InfraError {
    return new InfraError(`${host.id}: ${message}`, { cause: 'host', where: host.id, code })
  }

  const removeInstance = (instance: string, signal: AbortSignal): Promise<void> =>
    call(`remove ${instance}`, signal, () => truth.went(host.id, instance))

  function prepared({ instance, guest }: GuestRequest): PreparedGuest {
    const environment = world.plan.environments.find(({ guest: { id } }) => id === guest.id)
    const scripted = new ScriptedGuest({
      instance,
      random,
      truth,
      isCalm: world.isCalm,
      tests: new Map((environment?.tests ?? []).map(test => [test.file, test])),
    })
    return {
      keepHint: instance,
      start: signal =>
        call(`start ${instance}`, signal, () =>
          scripted.start(until => call(`stop ${instance}`, until, () => {})),
        ),
      remove: signal => removeInstance(instance, signal),
    }
  }

  return {
    name: simulatedDriver.name,
    abilities: () => new Set(),
    facts: signal => call('facts', signal, () => ({})),
    prepare: (request, signal) =>
      call(`prepare ${request.instance}`, signal, () => {
        truth.came(host.id, request.instance)
        return prepared(request)
      }),
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
