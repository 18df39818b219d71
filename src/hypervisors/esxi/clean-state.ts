import { quote } from '../../remote/index.js'
import type { GuestRequest } from '../driver.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { newClaim, writeClaim } from '../shared/claims.js'
import { type CallOptions, hostError, refused } from '../shared/host-commands.js'
import { parseVmx, type Vmx } from '../shared/vmx.js'
import { differences, factsOf } from '../shared/vmx-hardware.js'
import { diskFacts, makeCopy } from './clone.js'
import { ask, type EsxiHost, listMachines } from './host.js'
import { placeAt, removeInstance } from './instances.js'
import { fileOf, parseMachines } from './output.js'
import { findSnapshot, revertTo } from './snapshots.js'
import { callOf, esxiVm, type VmPlace } from './vm.js'

/** A machine that a lab names, and its configuration. */
export interface DeclaredVm {
  readonly place: VmPlace
  readonly vmx: Vmx
  readonly facts: Readonly<Record<string, string>>
}

/** Finds the machine that a lab names, which must be as it declares it. */
export async function findDeclared(
  host: EsxiHost,
  { instance, placement }: Pick<GuestRequest, 'instance' | 'placement'>,
  call: CallOptions,
): Promise<DeclaredVm> {
  const { vm = '', configuration } = placement
  const all = await ask(host, listMachines, parseMachines, call)
  const found = all.filter(row => row.name === vm || fileOf(row) === vm)
  const [row, ...others] = found
  if (row === undefined) {
    throw hostError(instance, `${instance} on ${host.id}: there is no VM "${vm}"`)
  }
  if (others.length > 0) {
    const files = found.map(fileOf).join(', ')
    throw refused(
      instance,
      `${host.id} has ${found.length} VMs named "${vm}": name its file, one of ${files}`,
    )
  }
  const place = await placeAt(host, instance, fileOf(row), call)
  const seen = await esxiVm(place).observe({ devices: false }, call.signal)
  if (seen.power === 'absent') {
    throw hostError(instance, `${instance} on ${host.id}: the VM "${vm}" is gone`)
  }
  const vmx = parseVmx(await host.shell.demand(`cat ${quote(place.path)}`, call))
  const differs = differences(vmx, configuration)
  if (differs.length > 0) {
    throw refused(instance, `the VM ${vm} is not as the lab declares it: ${differs.join('; ')}`)
  }
  return { place, vmx, facts: factsOf(vm, vmx) }
}

/** Brings an instance to its clean state; `place` says afterwards which machine it is. Gives facts of it. */
export async function prepareInstance(
  place: VmPlace,
  { instance, placement }: Pick<GuestRequest, 'instance' | 'placement'>,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const { host } = place
  const { clean } = placement
  const call = callOf(place, host.limits.command, signal)
  const { place: source, vmx, facts } = await findDeclared(host, { instance, placement }, call)
  if (clean.kind === 'copy') {
    // What an earlier try left is in the way.
    await removeInstance(host, instance, call)
    const image = await diskFacts(place, clean.path, call)
    await makeCopy(place, { source, vmx, disk: clean.path }, signal)
    return { ...facts, ...image }
  }
  Object.assign(place, { file: source.file, path: source.path, vmid: source.vmid })
  if (clean.kind !== 'snapshot') {
    return { ...facts }
  }
  const snapshot = await findSnapshot(place, clean.name, signal)
  await writeClaim(host.shell, newClaim(instance, place.file), call)
  const vm = esxiVm(place)
  await awaitSent(vm, vm.kill(signal), signal)
  await revertTo(place, snapshot, { suppressPowerOn: true }, signal)
  return { ...facts, 'image snapshot': `${snapshot.name} (${snapshot.id}, made ${snapshot.madeAt})` }
}
