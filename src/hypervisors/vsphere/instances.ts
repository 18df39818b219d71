import type { Leftover } from '../driver.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { giveBack } from '../managed-vm/give-back.js'
import { isDown } from '../managed-vm/observation.js'
import { readInstanceName } from '../shared/names.js'
import { readObject } from './api/properties.js'
import { cancelTask, finishTask, type Task } from './api/task.js'
import { type Claimed, listMachines, writeMachineClaim } from './claims.js'
import { hotplugOf } from './devices.js'
import { powerOf } from './power.js'
import { findSnapshot, revertTo, snapshotsOf } from './snapshots.js'
import { childrenOf, type Reference, referenceOf } from './soap/element.js'
import { isFault } from './soap/fault.js'
import { Vm, type VsphereHost } from './vm.js'

const never = new AbortController().signal

/** The instances that are on a host: clones that bear their names, and machines that somebody claimed. */
export async function listLeftovers(host: VsphereHost, signal: AbortSignal): Promise<Leftover[]> {
  const options = { signal, limit: host.limits.command, where: host.id }
  const here = (await host.here(options)).self.value
  const machines = (await listMachines(host, options)).filter(each => each.host === here)
  return machines.flatMap(machine => {
    const name = instanceOf(machine)
    const run = readInstanceName(name)?.run
    const isShared = name !== machine.name
    const what = `${isShared ? `the VM ${machine.name}` : 'a VM'} (${machine.state})`
    return run === undefined
      ? []
      : [{ name, run, what, shared: isShared, kept: machine.claim?.kept === true }]
  })
}

function instanceOf({ name, claim }: Claimed): string {
  return claim?.instance ?? name
}

/** Ends an instance of a dead run and removes what was made for it; again, if need be. */
export async function removeLeftover(
  host: VsphereHost,
  instance: string,
  signal: AbortSignal,
): Promise<void> {
  const options = { signal, limit: host.limits.command, where: instance }
  for (const machine of await listMachines(host, options)) {
    if (instanceOf(machine) === instance && readInstanceName(instance) !== null) {
      const vm = new Vm(host, instance)
      vm.self = machine.self
      await (machine.name === instance ? destroy(vm, signal) : release(vm, machine, signal))
    }
  }
}

/** Gives back a machine that an instance was itself. */
async function release(vm: Vm, { self, claim }: Claimed, signal: AbortSignal): Promise<void> {
  const power = powerOf(vm)
  if (claim?.found !== undefined) {
    const lender = { ...power, ...hotplugOf(vm), ...snapshotsOf(vm, power.start), ...vm.observed }
    await giveBack(lender, claim.found, signal)
  } else if (claim?.clean !== undefined) {
    await putBack(vm, claim.clean, signal)
  }
  await writeMachineClaim(vm.host, self, null, vm.options(signal))
}

/** Ends a machine that was reverted for an instance, and brings it back to its clean state, off. */
export async function putBack(vm: Vm, clean: string, signal: AbortSignal): Promise<void> {
  await settle(vm, signal)
  const { session } = vm.host.site
  const { self } = await findSnapshot(session, vm.machine, clean, vm.options(signal))
  await turnOff(vm, signal)
  await revertTo(vm, self, { suppressPowerOn: true }, signal)
  await turnOff(vm, signal)
}

/** Removes a machine of the instance's own with its disks, and sees that it is gone. */
export async function destroy(vm: Vm, signal: AbortSignal): Promise<void> {
  if (vm.self === null) {
    return
  }
  await settle(vm, signal)
  try {
    await turnOff(vm, signal)
    await vm.finish(vm.call('Destroy_Task'), vm.host.limits.storage, signal)
  } catch (error) {
    if (!isFault(error, 'ManagedObjectNotFound')) {
      throw error
    }
  }
  vm.self = null
}

async function turnOff(vm: Vm, signal: AbortSignal): Promise<void> {
  if (!isDown(await vm.observe({ devices: false }, signal))) {
    await awaitSent(vm.observed, powerOf(vm).kill(signal), signal)
  }
}

/** Waits for what a dead or cancelled run has begun on a machine: what is still being done to it holds it fast. */
export async function settle(vm: Vm, signal: AbortSignal): Promise<void> {
  const { site, limits } = vm.host
  const options = vm.options(signal, limits.storage)
  const read = vm.self && (await readObject(site.session, vm.self, ['recentTask'], options))
  const recent = childrenOf(read?.at('recentTask'), 'ManagedObjectReference').flatMap(
    each => referenceOf(each) ?? [],
  )
  const last = vm.lastTask === null ? [] : [vm.lastTask.self]
  for (const self of [...recent, ...last]) {
    await endTask(vm, self, signal)
  }
}

/** Ends a task, or waits for its end; how it ended does not matter. Gives it where it was found. */
export async function endTask(vm: Vm, self: Reference, signal: AbortSignal): Promise<Task | null> {
  const { site, limits } = vm.host
  const { session } = site
  const options = vm.options(signal.aborted ? never : signal, limits.storage)
  const task: Task = {
    self,
    method: 'a task',
    state: 'queued',
    progress: undefined,
    result: undefined,
    error: null,
  }
  const info = (await readObject(session, self, ['info.state'], options))?.text('info.state')
  if (info === 'queued' || info === 'running') {
    await cancelTask(session, self, options)
  }
  if (info === undefined) {
    return null
  }
  try {
    return await finishTask(session, task, limits.lookEvery.ms, options)
  } catch (error) {
    if (task.error === null) {
      throw error
    }
    return task
  }
}
