import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Ability } from '../config/abilities.js'
import { InfraError } from '../config/errors.js'
import { type Cloud, type Machine, newMachine, taskMs } from './cloud.test.fixture.js'
import type { Driver, GuestRequest } from './driver.js'
import { hostLimits } from './limit.js'
import type { Expectation, Found, Hint, Sent, VmBackend } from './managed-vm/backend.js'
import type { Devices, Observation, Power } from './managed-vm/observation.js'
import { ManagedVm } from './managed-vm.js'

const abilities: readonly Ability[] = [
  'attach-disk',
  'attach-nic',
  'migrate',
  'nmi',
  'pause',
  'reset',
  'revert',
  'screenshot',
  'set-memory',
  'set-vcpus',
  'snapshot',
  'stop',
]
const limits = hostLimits({
  start: 400,
  shutdown: 400,
  destroy: 400,
  snapshot: 400,
  migrate: 400,
  unplug: 400,
  command: 400,
  lookEvery: 5,
})

/** A driver for it, whose only work is to give `ManagedVm` its primitives. */
export function cloudDriver(cloud: Cloud): Driver {
  return {
    name: 'cloud',
    abilities: () => new Set(abilities),
    facts: async () => ({ 'cloud version': '1' }),
    instance: request => new ManagedVm(cloudBackend(cloud, request), request),
    close: async () => {},
  }
}

function cloudBackend(cloud: Cloud, { instance, placement, evidenceFolder }: GuestRequest): VmBackend {
  const lent = placement.clean.kind === 'none'
  const name = lent ? (placement.vm ?? '') : instance
  let made = 0
  const failed = (why: string): InfraError =>
    new InfraError(`${instance} in the cloud: ${why}`, { cause: 'host', where: instance, code: 'driver' })
  /** A task whose failure comes late: whoever waits for what it should show meets it. */
  const run = <T>(
    kind: string,
    value: T,
    work: (machine: Machine) => void,
    holds: (seen: Observation) => boolean,
    more: Partial<Expectation> = {},
  ): Promise<Sent<T>> => {
    const task = cloud.task(kind, name, work)
    const limit = limits.start
    const see = (seen: Observation): boolean => {
      if (task.error !== null) {
        throw failed(task.error)
      }
      return task.isDone && holds(seen)
    }
    const shows: Expectation = { what: kind, cause: 'host', limit, devices: true, holds: see, ...more }
    return Promise.resolve({ value, shows })
  }
  const power = (kind: string, to: Power, more?: Partial<Expectation>, boots = 0): Promise<Sent<void>> =>
    run(
      kind,
      undefined,
      machine => Object.assign(machine, { power: to, boots: machine.boots + boots }),
      seen => seen.power === to,
      more,
    )
  const has = (kind: 'disks' | 'nics', one: string) => (seen: Observation) =>
    seen.devices?.[kind].includes(one) === true
  const without = (list: string[], one: string): string[] => list.filter(other => other !== one)
  const lacks = (kind: 'disks' | 'nics', one: string) => (seen: Observation) => !has(kind, one)(seen)
  const guestLate: Partial<Expectation> = { cause: 'guest', limit: limits.unplug }
  return {
    instance,
    limits,
    lent,
    graceMs: 0,
    restarts: 'host',
    keepHint: `cloud console ${name}`,
    proofs: { reset: 'incarnation' },
    prepare: async signal => {
      cloud.call('create')
      signal.throwIfAborted()
      if (!lent) {
        cloud.machines.set(name, newMachine())
      }
      await wait(taskMs)
      signal.throwIfAborted()
      cloud.call('configure')
    },
    claim: async (_found: Found) => cloud.call('claim'),
    begin: async () => power('start', 'on', {}, 1),
    describe: async () => {
      cloud.call('describe')
      const { host = '', boots = 0 } = cloud.machines.get(name) ?? {}
      return {
        facts: { vm: name },
        abilities: new Set(abilities),
        console: null,
        host,
        incarnation: String(boots),
      }
    },
    observe: async (_wants, signal) => {
      cloud.call('observe')
      signal.throwIfAborted()
      return observationOf(cloud.machines.get(name))
    },
    watch: tell => {
      const hint = (changed: string): void => {
        if (changed === name) {
          tell({ type: 'seen', seen: null, askedAtMs: performance.now() } satisfies Hint)
        }
      }
      return cloud.listen(hint)
    },
    access: async () => ({ endpoint: { host: '192.0.2.1', port: 22, jumps: [] } }),
    start: async () =>
      cloud.machines.get(name)?.power === 'paused' ? power('resume', 'on') : power('start', 'on', {}, 1),
    requestShutdown: async () => power('shutdown', 'off', { what: 'shut down', ...guestLate }),
    kill: async () => power('kill', 'off'),
    pause: async () => power('pause', 'paused'),
    resume: async () => power('resume', 'on'),
    reset: async () => power('reset', 'on', {}, 1),
    nmi: async () =>
      run(
        'nmi',
        undefined,
        () => {},
        () => true,
      ),
    screenshot: async number => {
      const name = `picture-${number}.png`
      await writeFile(join(evidenceFolder, name), 'a picture')
      return run(
        'screenshot',
        name,
        () => {},
        () => true,
      )
    },
    snapshot: async label =>
      run(
        'snapshot',
        undefined,
        ({ snapshots, power: now }) => snapshots.set(label, now),
        () => true,
      ),
    revert: async label =>
      cloud.machines.get(name)?.snapshots.has(label) === true
        ? power('revert', 'on', {}, 1)
        : Promise.reject(failed(`there is no snapshot ${label}`)),
    deleteSnapshot: async label =>
      run(
        'delete-snapshot',
        undefined,
        ({ snapshots }) => snapshots.delete(label),
        () => true,
      ),
    listSnapshots: async () => [...(cloud.machines.get(name)?.snapshots.keys() ?? [])],
    dropSnapshots: async found => {
      const { snapshots = new Map() } = cloud.machines.get(name) ?? {}
      for (const label of [...snapshots.keys()].filter(label => !found.includes(label))) {
        snapshots.delete(label)
      }
    },
    attachDisk: async () => {
      const serial = `added-${++made}`
      return run('attach-disk', { serial }, machine => machine.disks.push(serial), has('disks', serial))
    },
    detachDisk: async serial =>
      run(
        'detach-disk',
        undefined,
        machine => Object.assign(machine, { disks: without(machine.disks, serial) }),
        lacks('disks', serial),
        { what: `let go of ${serial}`, ...guestLate },
      ),
    attachNic: async () => {
      const mac = `nic-${++made}`
      return run('attach-nic', { mac }, machine => machine.nics.push(mac), has('nics', mac))
    },
    detachNic: async mac =>
      run(
        'detach-nic',
        undefined,
        machine => Object.assign(machine, { nics: without(machine.nics, mac) }),
        lacks('nics', mac),
        { what: `let go of ${mac}`, ...guestLate },
      ),
    setVcpus: async vcpus =>
      run(
        'set-vcpus',
        undefined,
        machine => Object.assign(machine, { vcpus }),
        ({ devices }) => devices?.vcpus === vcpus,
      ),
    setMemory: async memoryBytes =>
      run(
        'set-memory',
        undefined,
        machine => Object.assign(machine, { memoryBytes }),
        ({ devices }) => devices?.memoryBytes === memoryBytes,
      ),
    migrate: async () => {
      const to = cloud.machines.get(name)?.host === 'node-1' ? 'node-2' : 'node-1'
      return run(
        'migrate',
        undefined,
        machine => Object.assign(machine, { host: to }),
        ({ host }) => host === to,
      )
    },
    remove: async signal => {
      cloud.call('remove')
      signal.throwIfAborted()
      if (!lent) {
        cloud.machines.delete(name)
      }
    },
    keep: async () => cloud.alter(name, { kept: true }),
  }
}

function observationOf(machine: Machine | undefined): Observation {
  if (machine === undefined) {
    return { power: 'absent', said: 'deleted', incarnation: null, host: 'node-1', devices: null }
  }
  const { power, boots, host, disks, nics, vcpus, memoryBytes, question } = machine
  const devices: Devices = { disks: [...disks], nics: [...nics], vcpus, memoryBytes }
  const observation = { power, said: power, incarnation: String(boots), host, devices }
  return question === null ? observation : { ...observation, question }
}
