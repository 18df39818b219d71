import type { GuestRequest } from '../driver.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { newClaim, writeClaim } from '../shared/claims.js'
import { type CallOptions, hostError, read, refused } from '../shared/host-commands.js'
import { declaredFields, differences, factsOf } from './declared.js'
import { askLists, type XenServerHost, xe } from './host.js'
import { removeInstance } from './instances.js'
import { fieldOf, parseUuid, uuidPattern, type XeRecord } from './output.js'
import { ownDisks } from './removal.js'
import { revertTo, snapshotsOf } from './snapshots.js'
import { callOf, type VmPlace, xenServerVm } from './vm.js'

const never = new AbortController().signal

/** Finds the VM or template that a lab names, which must be as it declares it. */
export async function findDeclared(
  host: XenServerHost,
  { instance, placement }: Pick<GuestRequest, 'instance' | 'placement'>,
  call: CallOptions,
): Promise<XeRecord> {
  const { vm = '', configuration } = placement
  const selector = uuidPattern.test(vm) ? `uuid=${vm}` : `name-label=${vm}`
  const commands = ['vm-list', 'template-list'].map(verb => xe(verb, selector, declaredFields))
  const found = (await askLists(host, commands, call)).flat()
  const [record, ...others] = found
  if (record === undefined) {
    throw hostError(instance, `${instance} on ${host.id}: there is no VM or template "${vm}"`)
  }
  if (others.length > 0) {
    const uuids = found.map(each => fieldOf(each, 'uuid')).join(', ')
    throw refused(
      instance,
      `${host.id} has ${found.length} VMs named "${vm}": name its UUID, one of ${uuids}`,
    )
  }
  const differs = differences(record, configuration)
  if (differs.length > 0) {
    throw refused(instance, `the VM ${vm} is not as the lab declares it: ${differs.join('; ')}`)
  }
  return record
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
  const found = await findDeclared(host, { instance, placement }, call)
  const uuid = fieldOf(found, 'uuid')
  const isTemplate = fieldOf(found, 'is-a-template') === 'true'
  const facts = factsOf(found)
  if (clean.kind === 'overlay') {
    // What an earlier try left is in the way.
    await removeInstance(host, instance, call)
    const source = await cloneSource({ ...place, uuid }, clean.path, found, signal)
    // xapi makes a clone whoever waits for it: one that is not waited for would be left.
    const made = await host.shell.demand(source.command, callOf(place, host.limits.storage, never))
    place.uuid = read(parseUuid, made, host.id)
    signal.throwIfAborted()
    await ownDisks(host, place.uuid, call)
    return { ...facts, 'image snapshot': source.what }
  }
  if (isTemplate) {
    throw refused(
      instance,
      `"${placement.vm}" is a template: it takes "clean: { overlay: … }" to make a VM of it`,
    )
  }
  place.uuid = uuid
  if (clean.kind !== 'snapshot') {
    return facts
  }
  const snapshot = await findSnapshot(place, clean.name, signal)
  await writeClaim(host.shell, newClaim(instance, uuid), call)
  const vm = xenServerVm(place)
  await awaitSent(vm, vm.kill(signal), signal)
  await revertTo(place, snapshot, signal)
  return { ...facts, 'image snapshot': `${clean.name} (${snapshot})` }
}

/** The one snapshot of a machine with a name. */
export async function findSnapshot(place: VmPlace, name: string, signal: AbortSignal): Promise<string> {
  const { instance, host } = place
  const named = (await snapshotsOf(place, signal)).filter(record => fieldOf(record, 'name-label') === name)
  const [snapshot, ...others] = named.map(record => fieldOf(record, 'uuid'))
  if (snapshot === undefined) {
    throw hostError(instance, `${instance} on ${host.id}: the VM has no snapshot "${name}"`)
  }
  if (others.length > 0) {
    throw refused(instance, `the VM has ${named.length} snapshots named "${name}": rename all but one`)
  }
  return snapshot
}

/** How a machine is cloned: from a snapshot of it, or from itself where it is a template or halted. */
async function cloneSource(
  place: VmPlace,
  path: string,
  found: XeRecord,
  signal: AbortSignal,
): Promise<{ readonly command: string; readonly what: string }> {
  const name = `new-name-label=${place.instance}`
  if (path === fieldOf(found, 'name-label') || path === place.uuid) {
    const isTemplate = fieldOf(found, 'is-a-template') === 'true'
    return {
      command: isTemplate
        ? xe('vm-install', `template-uuid=${place.uuid}`, name)
        : xe('vm-clone', `uuid=${place.uuid}`, name),
      what: `${path} (${place.uuid})`,
    }
  }
  const snapshot = await findSnapshot(place, path, signal)
  return {
    command: xe('vm-install', `template-uuid=${snapshot}`, name),
    what: `${path} (${snapshot})`,
  }
}
