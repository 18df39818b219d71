import type { Ability } from '../../config/abilities.js'
import type { GuestConsole, RunningGuest } from '../driver.js'
import type { Command, Proof } from './backend.js'
import type { Begun, Doing, RunningVm } from './running-vm.js'

/** The calls that a virtual machine, on its host, can answer: those whose abilities it has. */
export function offer(
  vm: RunningVm,
  { backend, description }: Begun,
  console: GuestConsole | null,
): RunningGuest {
  const { abilities, facts } = description
  let pictures = 0
  /** A call of the contract, made of a command of the backend's. */
  const call = <A extends readonly unknown[], T>(
    doing: Doing,
    command: Command<A, T> | undefined,
  ): ((...args: [...A, AbortSignal]) => Promise<T>) | undefined =>
    command === undefined
      ? undefined
      : (...given) => {
          const args = given.slice(0, -1) as unknown as A
          const signal = given.at(-1) as AbortSignal
          return vm.carryOut(doing, until => command(...args, until), signal)
        }
  const { screenshot } = backend
  const offered: readonly (readonly [Ability, Partial<RunningGuest>])[] = [
    ['pause', { pause: signal => vm.pause(signal), resume: signal => vm.resume(signal) }],
    [
      'stop',
      {
        shutdown: signal => vm.shutdown(signal),
        powerOff: signal => vm.powerOff(signal),
        powerOn: signal => vm.powerOn(signal),
      },
    ],
    ['reset', defined({ reset: call(resetting(backend.proofs?.reset), backend.reset) })],
    ['nmi', defined({ nmi: call({ ability: 'nmi' }, backend.nmi) })],
    [
      'screenshot',
      defined({
        screenshot: call(
          { ability: 'screenshot' },
          screenshot && ((signal: AbortSignal) => screenshot.call(backend, ++pictures, signal)),
        ),
      }),
    ],
    [
      'snapshot',
      defined({
        snapshot: call({ ability: 'snapshot', disturbs: true }, backend.snapshot),
        deleteSnapshot: call({ ability: 'snapshot' }, backend.deleteSnapshot),
      }),
    ],
    [
      'revert',
      defined({ revert: call({ ability: 'revert', disturbs: true, leaves: 'on' }, backend.revert) }),
    ],
    [
      'attach-disk',
      defined({
        attachDisk: call({ ability: 'attach-disk' }, backend.attachDisk),
        detachDisk: call({ ability: 'attach-disk' }, backend.detachDisk),
      }),
    ],
    [
      'attach-nic',
      defined({
        attachNic: call({ ability: 'attach-nic' }, backend.attachNic),
        detachNic: call({ ability: 'attach-nic' }, backend.detachNic),
      }),
    ],
    ['set-vcpus', defined({ setVcpus: call({ ability: 'set-vcpus' }, backend.setVcpus) })],
    ['set-memory', defined({ setMemory: call({ ability: 'set-memory' }, backend.setMemory) })],
    ['migrate', migration(vm, backend.migrate)],
  ]
  const calls = offered.filter(([ability]) => abilities.has(ability)).map(([, methods]) => methods)
  return {
    facts,
    gone: vm.gone,
    ...(console === null ? {} : { console }),
    onUnexpected: listener => vm.onUnexpected(listener),
    look: signal => vm.lookNow(signal),
    access: signal => vm.access(signal),
    stop: signal => vm.end(signal),
    ...Object.assign({}, ...calls),
  }
}

/** One that is made anew runs afterwards; any other stays paused if it was. */
function resetting(proof: Proof | undefined): Doing {
  return { ability: 'reset', disturbs: true, ...(proof === 'incarnation' ? { leaves: 'on' } : {}) }
}

function migration(vm: RunningVm, migrate: Command | undefined): Partial<RunningGuest> {
  return migrate === undefined
    ? {}
    : {
        migrate: async signal => {
          const moving = async (until: AbortSignal): ReturnType<Command> => {
            // Its console goes on elsewhere.
            await vm.hearConsole(until)
            return migrate(until)
          }
          await vm.carryOut({ ability: 'migrate', disturbs: true }, moving, signal)
          return { host: vm.host }
        },
      }
}

function defined<T extends object>(calls: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(calls).filter(([, call]) => call !== undefined)) as {
    [K in keyof T]: NonNullable<T[K]>
  }
}
