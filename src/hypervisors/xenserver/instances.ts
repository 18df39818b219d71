import type { Leftover } from '../driver.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { giveBack } from '../managed-vm/give-back.js'
import { type Claim, listClaims, removeClaim } from '../shared/claims.js'
import { type CallOptions, hostError } from '../shared/host-commands.js'
import { readInstanceName } from '../shared/names.js'
import { createHotplug } from './devices.js'
import { askLists, type XenServerHost, xe } from './host.js'
import { fieldOf, type XeRecord } from './output.js'
import { uninstallSnapshot, uninstallTemplate, uninstallVm } from './removal.js'
import { createSnapshots } from './snapshots.js'
import { type VmPlace, xenServerVm } from './vm.js'

/** All that bears the name of an instance in a pool. */
interface Belongings {
  readonly machines: readonly XeRecord[]
  /** What a machine is between its clone and its end. */
  readonly templates: readonly XeRecord[]
  readonly snapshots: readonly XeRecord[]
  readonly disks: readonly XeRecord[]
}

/** An instance in a pool: of a run that goes on, or of one that is dead. */
export interface XenServerInstance {
  readonly name: string
  readonly run: string
  /** The UUID of the VM that serves as the instance itself; `null` when the instance is a machine of its own. */
  readonly vm: string | null
  /** What xe says; `null` when no such machine is there. */
  readonly state: string | null
  readonly kept: boolean
}

/** An instance for people. */
export function describeInstance({ name, run, vm, state, kept }: XenServerInstance): Leftover {
  const own = state === null ? 'disks or snapshots without a VM' : `a VM (${state})`
  const what = vm === null ? own : `the VM ${vm}, ${state ?? 'not there'}`
  return { name, run, what, shared: vm !== null, kept }
}

/** Every instance in the pool, whoever's run it was. */
export async function listInstances(host: XenServerHost, call: CallOptions): Promise<XenServerInstance[]> {
  const { machines, templates, snapshots, disks } = await everything(host, call)
  const claims = new Map((await listClaims(host.shell, call)).map(claim => [claim.instance, claim]))
  const own = new Map(
    [...templates, ...machines].map(record => [record.get('name-label'), record.get('power-state')]),
  )
  const states = new Map(machines.map(record => [record.get('uuid'), record.get('power-state')]))
  const named = [...machines, ...templates, ...snapshots, ...disks].flatMap(
    record => instanceIn(record) ?? [],
  )
  return [...new Set([...named, ...claims.keys()])].flatMap(name => {
    const parts = readInstanceName(name)
    const claim = claims.get(name)
    const vm = claim === undefined || claim.vm === name ? null : claim.vm
    const state = (vm === null ? own.get(name) : states.get(vm)) ?? null
    // What is there no more is not kept for anybody.
    const kept = claim?.kept === true && state !== null
    return parts === null ? [] : [{ name, run: parts.run, vm, state, kept }]
  })
}

/** Ends an instance and removes all that bears its name; again, if need be. Throws when something is left. */
export async function removeInstance(host: XenServerHost, name: string, call: CallOptions): Promise<void> {
  if (readInstanceName(name) === null) {
    return
  }
  const claim = (await listClaims(host.shell, call)).find(({ instance }) => instance === name)
  if (claim !== undefined && claim.vm !== name) {
    await releaseVm(host, claim, call)
  }
  await removeOwn(host, name, call)
  await removeClaim(host.shell, name, call)
}

/** Gives back a VM that an instance was itself. */
async function releaseVm(
  host: XenServerHost,
  { instance, vm, found }: Claim,
  call: CallOptions,
): Promise<void> {
  const place: VmPlace = { host, second: null, instance, uuid: vm }
  const machine = xenServerVm(place)
  if (found === undefined) {
    await awaitSent(machine, machine.kill(call.signal), call.signal)
    return
  }
  const { drop: dropSnapshots } = createSnapshots(place)
  await giveBack({ ...machine, ...createHotplug(place), dropSnapshots }, found, call.signal)
}

async function removeOwn(host: XenServerHost, name: string, call: CallOptions): Promise<void> {
  const { shell, limits } = host
  const belongings = async (): Promise<Belongings> => {
    const { machines, templates, snapshots, disks } = await everything(host, call)
    const ours = (records: readonly XeRecord[]): XeRecord[] =>
      records.filter(record => instanceIn(record) === name)
    return {
      machines: ours(machines),
      templates: ours(templates),
      snapshots: ours(snapshots),
      disks: ours(disks),
    }
  }
  const found = await belongings()
  for (const machine of found.machines) {
    const vm = xenServerVm({ host, second: null, instance: name, uuid: fieldOf(machine, 'uuid') })
    await awaitSent(vm, vm.kill(call.signal), call.signal)
  }
  for (const snapshot of found.snapshots) {
    await uninstallSnapshot(host, fieldOf(snapshot, 'uuid'), call)
  }
  for (const machine of found.machines) {
    await uninstallVm(host, fieldOf(machine, 'uuid'), call)
  }
  for (const template of found.templates) {
    await uninstallTemplate(host, fieldOf(template, 'uuid'), call)
  }
  for (const disk of (await belongings()).disks) {
    await shell.demand(xe('vdi-destroy', `uuid=${fieldOf(disk, 'uuid')}`), { ...call, limit: limits.storage })
  }
  const left = Object.values(await belongings()).flat()
  if (left.length > 0) {
    const what = left.map(record => `${record.get('name-label')} (${record.get('uuid')})`).join(', ')
    throw hostError(name, `${name} on ${host.id}: it is still there: ${what}`)
  }
}

/** The instance that an object's name begins with; `null` where it is none of ours. */
function instanceIn(record: XeRecord): string | null {
  return /^(gc-.+-e\d+-\d+)(?:\.|$)/.exec(record.get('name-label') ?? '')?.[1] ?? null
}

async function everything(host: XenServerHost, call: CallOptions): Promise<Belongings> {
  const commands = [
    xe('vm-list', 'is-control-domain=false', 'params=uuid,name-label,power-state'),
    xe('template-list', 'params=uuid,name-label,power-state'),
    xe('snapshot-list', 'params=uuid,name-label'),
    xe('vdi-list', 'is-a-snapshot=false', 'params=uuid,name-label'),
  ]
  const [machines = [], templates = [], snapshots = [], disks = []] = await askLists(host, commands, call)
  return { machines, templates, snapshots, disks }
}
