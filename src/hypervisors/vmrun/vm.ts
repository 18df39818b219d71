import { posix } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { InfraError } from '../../config/errors.js'
import { quote } from '../../remote/index.js'
import type { Limit } from '../limit.js'
import { type Expectation, type Sent, showing, type VmBackend } from '../managed-vm/backend.js'
import { isDown, isUp, type Observation } from '../managed-vm/observation.js'
import { type CallOptions, hostError, read } from '../shared/host-commands.js'
import { runSeveral } from '../shared/several.js'
import { demanded, listRunning, say, type VmrunHost, vmrun } from './host.js'
import { faultOf, isWithoutTools, parseRunning } from './output.js'

/** A virtual machine of a host. */
export interface VmPlace {
  readonly host: VmrunHost
  readonly instance: string
  /** Its configuration, an absolute path without links: what vmrun knows it by. */
  file: string
}

/** What can be done with any machine, whoever made it. */
export type VmrunVm = Pick<
  VmBackend,
  'instance' | 'limits' | 'observe' | 'start' | 'requestShutdown' | 'kill'
> &
  Required<Pick<VmBackend, 'pause' | 'resume' | 'reset'>>

/** The call of an instance's command, within a limit of its host. */
export function callOf(
  { instance }: Pick<VmPlace, 'instance'>,
  limit: Limit,
  signal: AbortSignal,
): CallOptions {
  return { signal, limit, where: instance }
}

/** The commands of a machine. Each is judged by what is seen of it later, and told by the words of vmrun. */
export function vmrunVm(place: VmPlace): VmrunVm {
  const { host, instance } = place
  const { limits } = host
  const look = (signal: AbortSignal): Promise<Observation> => observe(place, signal)
  const isOn = ({ power }: Observation): boolean => power === 'on'
  const change = async (
    words: readonly [verb: string, ...more: string[]],
    expectation: Pick<Expectation, 'what' | 'holds'> & { readonly limit: Limit },
    signal: AbortSignal,
  ): Promise<Sent<void>> => {
    const [verb, ...more] = words
    const call = callOf(place, expectation.limit, signal)
    const fault = faultOf(await say(host.shell, vmrun(verb, place.file, ...more), call))
    if (fault !== null) {
      const seen = await look(signal)
      if (!expectation.holds(seen)) {
        const message = `${instance} on ${host.id}: the host did not ${expectation.what}: ${fault}; it is ${seen.said}`
        throw new InfraError(message, { cause: 'host', where: instance, code: 'command' })
      }
    }
    return showing({ ...expectation, cause: 'host' })
  }
  const start = async (signal: AbortSignal): Promise<Sent<void>> => {
    const expectation = { what: 'start it', limit: limits.start, holds: isOn }
    return isOn(await look(signal))
      ? showing({ ...expectation, cause: 'host' })
      : change(['start', 'nogui'], expectation, signal)
  }
  return {
    instance,
    limits,
    observe: (_, signal) => look(signal),
    start,
    // One that is suspended goes on.
    resume: start,
    // What `pause` does no list shows: its memory is written to its folder instead.
    pause: signal =>
      change(
        ['suspend', 'hard'],
        { what: 'suspend it', limit: limits.snapshot, holds: ({ power }) => power === 'paused' },
        signal,
      ),
    reset: signal =>
      change(['reset', 'hard'], { what: 'reset it', limit: limits.start, holds: isUp }, signal),
    requestShutdown: async signal => {
      await askToShutDown(place, signal)
      return showing({ what: 'shut down', cause: 'guest', limit: limits.shutdown, holds: isDown })
    },
    kill: async signal => {
      const expectation = { what: 'end it', limit: limits.destroy, holds: isDown }
      const { power } = await look(signal)
      if (isDown({ power })) {
        return showing({ ...expectation, cause: 'host' })
      }
      if (power === 'paused') {
        // vmrun stops only what runs.
        await change(['start', 'nogui'], { what: 'start it', limit: limits.start, holds: isOn }, signal)
      }
      return change(['stop', 'hard'], expectation, signal)
    },
  }
}

/** Asks VMware Tools in the guest, which begin to run some time after it was started. */
async function askToShutDown(place: VmPlace, signal: AbortSignal): Promise<void> {
  const { host, instance } = place
  const { limits } = host
  const startedAt = performance.now()
  for (;;) {
    if (isDown(await observe(place, signal))) {
      return
    }
    const command = vmrun('stop', place.file, 'soft')
    const fault = faultOf(await say(host.shell, command, callOf(place, limits.shutdown, signal)))
    if (fault === null) {
      return
    }
    if (!isWithoutTools(fault) || performance.now() - startedAt > limits.shutdown.ms) {
      throw new InfraError(`${instance} on ${host.id}: the guest did not shut down: ${fault}`, {
        cause: 'guest',
        where: instance,
        code: 'command',
      })
    }
    await wait(limits.lookEvery.ms, undefined, { signal })
  }
}

/** Looks at a machine. One that does not run is known by its files: suspended, it has one that ends in `.vmss`. */
async function observe(place: VmPlace, signal: AbortSignal): Promise<Observation> {
  const { host, file, instance } = place
  const call = callOf(place, host.limits.command, signal)
  const states = `${quote(posix.dirname(file))}/*.vmss`
  const there = `if [ -f ${quote(file)} ];then echo there;else echo absent;fi`
  const commands = [listRunning, there, `ls ${states} 2>/dev/null;:`]
  const [list, exists, saved] = await runSeveral(host.shell, commands, call)
  if (list === undefined || exists === undefined || saved === undefined) {
    throw hostError(instance, `${instance} on ${host.id}: no answer`)
  }
  const running = read(parseRunning, demanded(host.shell, listRunning, list, call), host.id)
  const seen = { incarnation: null, host: host.id, devices: null }
  if (running.includes(file)) {
    return { ...seen, power: 'on', said: 'running' }
  }
  if (exists.text.trim() !== 'there') {
    return { ...seen, power: 'absent', said: 'without a configuration' }
  }
  return saved.text.trim() === ''
    ? { ...seen, power: 'off', said: 'not running' }
    : { ...seen, power: 'paused', said: 'suspended' }
}
