import { setTimeout as wait } from 'node:timers/promises'
import { InfraError } from '../../config/errors.js'
import type { Limit } from '../limit.js'
import { type Expectation, type Sent, showing, type VmBackend } from '../managed-vm/backend.js'
import { isDown, isUp, type Observation } from '../managed-vm/observation.js'
import { type CallOptions, read } from '../shared/host-commands.js'
import { askAll, demanded, type EsxiHost, listMachines, listWorlds, vimCmd } from './host.js'
import { fileOf, parseMachines, parseQuestion, parseSummary, parseWorlds } from './output.js'
import { change, type Outcome } from './tasks.js'
import { type Fault, faultOf } from './words.js'

/** A virtual machine of a host. */
export interface VmPlace {
  readonly host: EsxiHost
  readonly instance: string
  /** `[datastore] folder/file.vmx`: what it is known by, for its id is another one after each registration. */
  file: string
  /** The same without links, as the list of what runs has it. */
  path: string
  /** The id that it had when it was looked at last. */
  vmid: string
}

/** What can be done with any machine, whoever made it. */
export type EsxiVm = Pick<
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

/** The commands of a machine. Each is judged by what is seen of it later, and told by the words of the host. */
export function esxiVm(place: VmPlace): EsxiVm {
  const { host, instance } = place
  const { limits } = host
  const look = (signal: AbortSignal): Promise<Observation> => observe(place, signal)
  const run = async (verb: string, limit: Limit, signal: AbortSignal): Promise<Outcome> => {
    const { vmid } = place
    return change(host, { vmid, command: vimCmd(verb, vmid), limit, where: instance }, signal)
  }
  const done = async (
    verb: string,
    what: string,
    limit: Limit,
    holds: Expectation['holds'],
    signal: AbortSignal,
  ): Promise<Sent<void>> => {
    await look(signal)
    const { fault } = await run(verb, limit, signal)
    return following(place, { what, limit, holds }, fault?.text ?? null)
  }
  const reset = async (signal: AbortSignal): Promise<Sent<void>> => {
    const { said } = await look(signal)
    const { fault } = await run('vmsvc/power.reset', limits.start, signal)
    if (fault !== null) {
      // It runs before and after: only the word of the host says whether it was done.
      throw notDone(place, 'reset it', fault.text, said)
    }
    return following(place, { what: 'reset it', limit: limits.start, holds: isUp }, null)
  }
  const start = async (signal: AbortSignal): Promise<Sent<void>> => {
    const isOn = ({ power }: Observation): boolean => power === 'on'
    const expectation = { what: 'start it', limit: limits.start, holds: isOn }
    if (isOn(await look(signal))) {
      return following(place, expectation, null)
    }
    let why: string | null = null
    // It lasts for as long as the machine asks a question, which only a look shows.
    const work = run('vmsvc/power.on', limits.start, signal).then(
      ({ fault }) => {
        why = fault?.text ?? null
      },
      (error: Error) => {
        why = error.message
      },
    )
    return { ...following(place, expectation, () => why), finish: () => work }
  }
  return {
    instance,
    limits,
    observe: (_, signal) => look(signal),
    start,
    // One that is suspended goes on.
    resume: start,
    pause: signal =>
      // Its memory is written to its datastore: there is no other way to hold it.
      done('vmsvc/power.suspend', 'suspend it', limits.snapshot, ({ power }) => power === 'paused', signal),
    reset,
    requestShutdown: async signal => {
      await askToShutDown(place, signal)
      return showing({ what: 'shut down', cause: 'guest', limit: limits.shutdown, holds: isDown })
    },
    kill: async signal => {
      const expectation = { what: 'end it', limit: limits.destroy, holds: isDown }
      if (isDown(await look(signal))) {
        return following(place, expectation, null)
      }
      const { fault } = await run('vmsvc/power.off', limits.destroy, signal)
      const { power, incarnation } = await look(signal)
      if (isDown({ power }) || incarnation === null) {
        return following(place, expectation, fault?.text ?? null)
      }
      const command = `esxcli vm process kill -t force -w ${incarnation}`
      const [said] = await askAll(host, [command], callOf(place, limits.destroy, signal))
      const words = [fault?.text, said === undefined ? null : faultOf(said)?.text].filter(Boolean)
      return showing({ ...expectation, cause: 'host', said: words.join('; ') })
    },
  }
}

/** An expectation that ends as soon as the host has said why it will not be met, and a look after that agrees. */
function following(
  place: VmPlace,
  { what, limit, holds }: Pick<Expectation, 'what' | 'holds'> & { readonly limit: Limit },
  why: string | null | (() => string | null),
): Sent<void> {
  let known = typeof why === 'string' ? why : null
  return showing({
    what,
    cause: 'host',
    limit,
    holds: seen => {
      if (holds(seen)) {
        return true
      }
      if (known !== null && seen.question === undefined) {
        throw notDone(place, what, known, seen.said)
      }
      known = typeof why === 'function' ? why() : known
      return false
    },
  })
}

function notDone({ instance, host }: VmPlace, what: string, why: string, state: string): InfraError {
  const message = `${instance} on ${host.id}: the host did not ${what}: ${why}; it is ${state}`
  return new InfraError(message, { cause: 'host', where: instance, code: 'command' })
}

/** Asks VMware Tools in the guest, which begin to run some time after it was started. */
async function askToShutDown(place: VmPlace, signal: AbortSignal): Promise<void> {
  const { host, instance } = place
  const { limits } = host
  const startedAt = performance.now()
  for (;;) {
    const seen = await observe(place, signal)
    if (isDown(seen)) {
      return
    }
    const { vmid } = place
    const shutdown = vimCmd('vmsvc/power.shutdown', vmid)
    const { fault } = await change(
      host,
      { vmid, command: shutdown, limit: limits.command, where: instance },
      signal,
    )
    if (fault === null) {
      return
    }
    if (performance.now() - startedAt > limits.shutdown.ms) {
      throw new InfraError(`${instance} on ${host.id}: the guest did not shut down: ${fault.text}`, {
        cause: 'guest',
        where: instance,
        code: 'command',
      })
    }
    await wait(limits.lookEvery.ms, undefined, { signal })
  }
}

/** How often the list may change while a machine is looked at. */
const mostTries = 4

/** Looks at a machine, whatever id it has now. */
async function observe(place: VmPlace, signal: AbortSignal): Promise<Observation> {
  const { host, file, path } = place
  const call = callOf(place, host.limits.command, signal)
  const nothing = { incarnation: null, host: host.id, devices: null }
  const denied = new Set<string>()
  for (let tries = 0; tries < mostTries; tries += 1) {
    const summary = vimCmd('vmsvc/get.summary', place.vmid)
    const commands = [listMachines, listWorlds, ...(place.vmid === '' ? [] : [summary])]
    const [list, running, said] = await askAll(host, commands, call)
    const machines = read(parseMachines, demanded(host, listMachines, list, call), host.id)
    const worlds = read(parseWorlds, demanded(host, listWorlds, running, call), host.id)
    const ids = machines.filter(row => fileOf(row) === file).map(({ id }) => id)
    if (said !== undefined && ids.includes(place.vmid) && !isNotFound(faultOf(said))) {
      const text = demanded(host, summary, said, call)
      const { path: shown, power, said: state, asks } = read(parseSummary, text, host.id)
      if (shown === file) {
        const incarnation = power === 'on' ? (worlds.find(({ config }) => config === path)?.id ?? null) : null
        const seen: Observation = { ...nothing, power, said: state, incarnation }
        return asks ? { ...seen, question: await questionOf(place, call) } : seen
      }
    }
    // An annotation may look like a line of the list: only the summary tells.
    denied.add(place.vmid)
    place.vmid = ids.find(id => !denied.has(id)) ?? ''
    if (place.vmid === '') {
      break
    }
  }
  return { ...nothing, power: 'absent', said: 'not registered' }
}

/** The machine was forgotten, or its id given to none, while it was asked about. */
function isNotFound(fault: Fault | null): boolean {
  return fault?.name !== undefined && /NotFound$/.test(fault.name)
}

async function questionOf({ host, vmid }: VmPlace, call: CallOptions): Promise<string> {
  const command = vimCmd('vmsvc/message', vmid)
  const [said] = await askAll(host, [command], call)
  return parseQuestion(demanded(host, command, said, call)) ?? 'it no longer says which'
}
