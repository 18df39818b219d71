import type { Ability, GuestRequest } from '../driver.js'
import type { Description, VmBackend } from '../managed-vm/backend.js'
import { accessAt } from '../reach.js'
import { newClaim } from '../shared/claims.js'
import { addressesOf } from './addresses.js'
import { readObject } from './api/properties.js'
import { writeMachineClaim } from './claims.js'
import { cleanFacts, cloneCall } from './clone.js'
import { hotplugOf } from './devices.js'
import { destroy, endTask, putBack } from './instances.js'
import { moveTo } from './migrate.js'
import { powerOf } from './power.js'
import { takeScreenshot } from './screenshot.js'
import { findSnapshot, revertTo, snapshotsOf } from './snapshots.js'
import { type Reference, referenceOf } from './soap/element.js'
import { usableMachine } from './usable.js'
import { Vm, type VsphereHost } from './vm.js'

export interface VsphereBackendRequest {
  readonly host: VsphereHost
  readonly second: VsphereHost | undefined
  readonly request: GuestRequest
  readonly abilities: ReadonlySet<Ability>
  readonly watch: (machine: Reference, tell: Parameters<VmBackend['watch']>[0]) => () => void
  /** Facts of the host that say what the guest runs on. */
  readonly facts: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>
}

/** One virtual machine as `ManagedVm` drives it. */
export function vsphereBackend(given: VsphereBackendRequest): VmBackend {
  const { host, second, request, abilities } = given
  const { instance, placement } = request
  const { clean, vm: named = '' } = placement
  const { site } = host
  const vm = new Vm(host, instance)
  const power = powerOf(vm)
  const isOwn = clean.kind === 'overlay' || clean.kind === 'copy'
  let cleanly: Readonly<Record<string, string>> = {}

  return {
    instance,
    limits: host.limits,
    // It is the same machine from its start to its end.
    graceMs: 0,
    // Its boot time is when it was powered on, and no reboot of the guest alters that.
    restarts: 'host',
    lent: clean.kind === 'none',
    get keepHint() {
      return `the console of the virtual machine ${isOwn ? instance : named} in ${site.session.url}/ui`
    },
    prepare: async signal => {
      const from = await usableMachine(host, named, placement, vm.options(signal))
      if (clean.kind === 'none') {
        vm.self = from
        return
      }
      const name = clean.kind === 'snapshot' ? clean.name : clean.path
      const snapshot = await findSnapshot(site.session, from, name, vm.options(signal))
      cleanly = await cleanFacts(vm, from, snapshot, signal)
      if (clean.kind === 'snapshot') {
        vm.self = from
        const claim = { ...newClaim(instance, named), clean: name }
        await writeMachineClaim(host, from, claim, vm.options(signal))
        await revertTo(vm, snapshot.self, { suppressPowerOn: true }, signal)
        return
      }
      // What an earlier try left is in the way.
      await remove(signal)
      const isLinked = clean.kind === 'overlay'
      const call = await cloneCall({ vm, from, snapshot, isLinked }, signal)
      const cloned = await vm.finish(call, host.limits.storage, signal)
      vm.self = referenceOf(cloned.result) ?? (await site.machine(instance, vm.options(signal)))
    },
    claim: async (found, signal) => {
      await writeMachineClaim(host, vm.machine, newClaim(instance, named, found), vm.options(signal))
    },
    ...power,
    describe,
    observe: (wants, signal) => vm.observe(wants, signal),
    watch: tell => given.watch(vm.machine, tell),
    access: async (limit, signal) => {
      const { endpoint } = placement
      return accessAt(endpoint, endpoint === undefined ? await addressesOf(vm, limit, signal) : [])
    },
    ...snapshotsOf(vm, power.start),
    ...hotplugOf(vm),
    migrate: signal => moveTo(vm, second, signal),
    screenshot: async (number, signal) => {
      const name = await takeScreenshot(vm, request.evidenceFolder, number, signal)
      return { value: name, shows: null }
    },
    remove,
    keep: async (found, signal) => {
      const claim = { ...newClaim(instance, isOwn ? instance : named, found), kept: true }
      const kept = clean.kind === 'snapshot' ? { ...claim, clean: clean.name } : claim
      await writeMachineClaim(host, vm.machine, kept, vm.options(signal))
    },
  }

  async function describe(signal: AbortSignal): Promise<Description> {
    const seen = await vm.observe({ devices: true }, signal)
    const paths = ['config.version', 'config.guestFullName', 'config.firmware', 'guest.toolsVersion', 'name']
    const read = await readObject(site.session, vm.machine, paths, vm.options(signal))
    const facts: Record<string, string | undefined> = {
      ...(await given.facts(signal)),
      ...cleanly,
      vm: read?.text('name'),
      'virtual hardware': read?.text('config.version'),
      firmware: read?.text('config.firmware'),
      'tools version': read?.text('guest.toolsVersion'),
      vcpus: seen.devices?.vcpus?.toString(),
      'running on': seen.host,
    }
    return {
      host: seen.host,
      incarnation: seen.incarnation,
      facts: Object.fromEntries(
        Object.entries(facts).filter((entry): entry is [string, string] => (entry[1] ?? '') !== ''),
      ),
      abilities,
      console: null,
    }
  }

  async function remove(signal: AbortSignal): Promise<void> {
    if (!isOwn) {
      if (vm.self !== null) {
        if (clean.kind === 'snapshot') {
          await putBack(vm, clean.name, signal)
        }
        await writeMachineClaim(host, vm.self, null, vm.options(signal))
      }
      return
    }
    const last = vm.lastTask
    // A clone that was given up goes on there, and gives its machine only at its end.
    const task = last === null || vm.self !== null ? null : await endTask(vm, last.self, signal)
    vm.self ??= referenceOf(task?.result) ?? (await site.findMachine(instance, vm.options(signal)))
    await destroy(vm, signal)
  }
}
