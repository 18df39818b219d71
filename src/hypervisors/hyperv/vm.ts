import { InfraError } from '../../config/errors.js'
import { untilHolds } from '../limit.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { type Expectation, sent, showing, type VmBackend } from '../managed-vm/backend.js'
import { isDown, isUp, type Observation } from '../managed-vm/observation.js'
import { type CallOptions, hostError } from '../shared/host-commands.js'
import { isNotFound } from './ask.js'
import type { HyperVHost } from './host.js'
import { cardOf, driveOf, type Read, readRow, stateOf, understand } from './output.js'
import { describeResult } from './results.js'
import type { TextName } from './texts/index.js'

/** A virtual machine of an instance. */
export interface HyperVPlace {
  readonly host: HyperVHost
  readonly instance: string
  /** The identifier that the host gave it; `null` before it is made or found. */
  id: string | null
}

/** What can be done with any machine, whoever made it. */
export type HyperVVm = Pick<
  VmBackend,
  'instance' | 'limits' | 'observe' | 'start' | 'requestShutdown' | 'kill'
> &
  Required<Pick<VmBackend, 'pause' | 'resume' | 'reset' | 'nmi'>>

/** What the text `shutdown` gives where no service of the guest answers. */
const notThereYet = 'none'

/** The call of an instance's text, within a limit of its host. */
export function callOf(
  { host, instance }: Pick<HyperVPlace, 'host' | 'instance'>,
  signal: AbortSignal,
  limit: keyof Omit<HyperVHost['limits'], 'consoleBytes'> = 'command',
): CallOptions {
  return { signal, limit: host.limits[limit], where: instance }
}

/** Asks about the machine of an instance. Throws InfraError where it has none. */
export async function askVm(
  place: HyperVPlace,
  text: TextName,
  args: readonly string[],
  call: CallOptions,
): ReturnType<HyperVHost['ask']> {
  if (place.id === null) {
    throw hostError(place.instance, `${place.instance} on ${place.host.id}: it has no virtual machine`)
  }
  return place.host.ask(text, [place.id, ...args], call)
}

/** The commands of a machine. */
export function hyperVVm(place: HyperVPlace): HyperVVm {
  const { host, instance } = place
  const { limits } = host
  const runs = (what: string): Expectation => {
    return { what, cause: 'host', limit: limits.start, holds: ({ power }) => power === 'on' }
  }
  const observe: HyperVVm['observe'] = ({ devices }, signal) =>
    devices ? observeInside(place, callOf(place, signal)) : observeState(place, callOf(place, signal))
  return {
    instance,
    limits,
    observe,
    start: async signal => {
      const before = await observe({ devices: false }, signal)
      if (before.power !== 'on' && before.power !== 'busy') {
        const text = before.said === 'Paused' ? 'resume' : 'start'
        await askVm(place, text, [], callOf(place, signal, 'start'))
      }
      return showing(runs('start it'))
    },
    requestShutdown: async signal => {
      let code = notThereYet
      const isAnswered = async (): Promise<boolean> => {
        code = readRow('answered', await askVm(place, 'shutdown', [], callOf(place, signal))).code
        return code !== notThereYet || isDown(await observe({ devices: false }, signal))
      }
      // While it boots, nothing in the guest hears.
      const wait = { limit: limits.shutdown, everyMs: limits.lookEvery.ms, signal }
      if (!(await untilHolds(isAnswered, wait))) {
        throw new InfraError(
          `${instance} on ${host.id}: the guest cannot be asked to shut down: its integration services do not answer (Msvm_ShutdownComponent)`,
          { cause: 'guest', where: instance, code: 'command' },
        )
      }
      if (code !== notThereYet) {
        demandDone(place, 'InitiateShutdown', code)
      }
      return showing({ what: 'shut down', cause: 'guest', limit: limits.shutdown, holds: isDown })
    },
    kill: async signal => {
      const before = await observe({ devices: false }, signal)
      let said = ''
      if (!isDown(before)) {
        await askVm(place, 'turnOff', [], callOf(place, signal, 'destroy')).catch((error: unknown) => {
          // It may have ended meanwhile: what is seen decides.
          if (!(error instanceof InfraError) || error.context.code !== 'command') {
            throw error
          }
          said = error.message
        })
      }
      return showing({ what: 'turn it off', cause: 'host', limit: limits.destroy, said, holds: isDown })
    },
    pause: async signal => {
      await askVm(place, 'suspend', [], callOf(place, signal))
      // One that was saved to disk instead is not paused, though it does not run either.
      const holds = ({ said }: Observation): boolean => said.startsWith('Paused')
      return showing({ what: 'pause it', cause: 'host', limit: limits.command, holds })
    },
    resume: async signal => {
      await askVm(place, 'resume', [], callOf(place, signal))
      return showing(runs('resume it'))
    },
    reset: async signal => {
      const rows = await askVm(place, 'reset', [], callOf(place, signal))
      demandDone(place, 'RequestStateChange', readRow('answered', rows).code)
      return showing({ ...runs('reset it'), holds: isUp })
    },
    nmi: async signal => {
      await askVm(place, 'nmi', [], callOf(place, signal))
      return sent()
    },
  }
}

/** Throws unless a method was carried out, or has begun: 4096 is a job. */
export function demandDone({ host, instance }: HyperVPlace, method: string, code: string): void {
  if (code !== '0' && code !== '4096') {
    throw hostError(instance, `${instance} on ${host.id}: ${method} returned ${describeResult(code)}`)
  }
}

/** Turns a machine off, whatever it does. */
export async function turnOff(place: HyperVPlace, signal: AbortSignal): Promise<void> {
  const vm = hyperVVm(place)
  await awaitSent(vm, vm.kill(signal), signal)
}

/** All that a machine has; `null` where it is not there. */
export async function lookAt(place: HyperVPlace, call: CallOptions): Promise<Read<'looked'> | null> {
  if (place.id === null) {
    return null
  }
  try {
    const rows = await askVm(place, 'look', [], call)
    return understand(place.host.id, () => readRow('looked', rows))
  } catch (error) {
    if (isNotFound(error)) {
      return null
    }
    throw error
  }
}

const notThere = { power: 'absent', said: 'not there', incarnation: null, devices: null } as const

function seenAs(place: HyperVPlace, said: string): Observation {
  const state = understand(place.host.id, () => stateOf(said))
  return { ...state, said, incarnation: null, host: place.host.id, devices: null }
}

async function observeState(place: HyperVPlace, call: CallOptions): Promise<Observation> {
  const absent: Observation = { ...notThere, host: place.host.id }
  if (place.id === null) {
    return absent
  }
  try {
    const rows = await askVm(place, 'state', [], call)
    return seenAs(
      place,
      understand(place.host.id, () => readRow('state', rows).state),
    )
  } catch (error) {
    if (isNotFound(error)) {
      return absent
    }
    throw error
  }
}

async function observeInside(place: HyperVPlace, call: CallOptions): Promise<Observation> {
  const looked = await lookAt(place, call)
  if (looked === null) {
    return { ...notThere, host: place.host.id }
  }
  const seen = seenAs(place, looked.state)
  const { disks, nics, cpus, assigned, startup } = looked
  // What is saved has none.
  const memoryBytes = isUp(seen) && seen.said !== 'Saved' ? assigned : startup
  return {
    ...seen,
    devices: {
      disks: disks.map(disk => diskName(driveOf(disk))),
      nics: nics.map(nic => cardOf(nic).mac),
      vcpus: cpus,
      memoryBytes,
    },
  }
}

/** By which a disk is known: a checkpoint changes its path, and not its place. */
export function diskName(drive: Pick<ReturnType<typeof driveOf>, 'type' | 'number' | 'location'>): string {
  return `${drive.type} ${drive.number} ${drive.location}`
}
