import { quote } from '../../remote/index.js'
import type { Leftover } from '../driver.js'
import { untilHolds } from '../limit.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { giveBack } from '../managed-vm/give-back.js'
import { type Claim, listClaims, removeClaim } from '../shared/claims.js'
import { type CallOptions, hostError, read } from '../shared/host-commands.js'
import { readInstanceName } from '../shared/names.js'
import { ask, askAll, demanded, type EsxiHost, listMachines, listWorlds, vimCmd } from './host.js'
import { fileOf, type MachineRow, parseMachines, parseWorlds } from './output.js'
import { createSnapshots } from './snapshots.js'
import { esxiVm, type VmPlace } from './vm.js'
import { refusalOf } from './words.js'

/** An instance on a host: of a run that goes on, or of one that is dead. */
export interface EsxiInstance {
  readonly name: string
  readonly run: string
  /** The configuration of the VM that serves as the instance itself; `null` when the instance is a machine of its own. */
  readonly vm: string | null
  readonly what: string
  readonly kept: boolean
}

/** An instance for people. */
export function describeInstance({ name, run, vm, what, kept }: EsxiInstance): Leftover {
  return { name, run, what, shared: vm !== null, kept }
}

/** Every instance on the host, whoever's run it was. */
export async function listInstances(host: EsxiHost, call: CallOptions): Promise<EsxiInstance[]> {
  const [list, worlds] = await askAll(host, [listMachines, listWorlds], call)
  const machines = read(parseMachines, demanded(host, listMachines, list, call), host.id)
  const running = read(parseWorlds, demanded(host, listWorlds, worlds, call), host.id)
  const claims = new Map((await listClaims(host.shell, call)).map(claim => [claim.instance, claim]))
  const folders = await foldersOf(host, null, call)
  const own = machines.filter(row => readInstanceName(folderOf(row)) !== null)
  const names = [...own.map(folderOf), ...folders.map(nameOfFolder), ...claims.keys()]
  return [...new Set(names)].flatMap(name => {
    const parts = readInstanceName(name)
    const claim = claims.get(name)
    const vm = claim === undefined || claim.vm === name ? null : claim.vm
    const row = machines.find(each => (vm === null ? folderOf(each) === name : fileOf(each) === vm))
    const isRunning = running.some(({ config }) => row !== undefined && config.endsWith(`/${row.file}`))
    const state = row === undefined ? null : isRunning ? 'running' : 'not running'
    const machine = state === null ? 'files without a VM' : `a VM (${state})`
    const what = vm === null ? machine : `the VM ${vm}, ${state ?? 'not there'}`
    // What is there no more is not kept for anybody.
    const isThere = state !== null || folders.some(folder => nameOfFolder(folder) === name)
    return parts === null ? [] : [{ name, run: parts.run, vm, what, kept: claim?.kept === true && isThere }]
  })
}

/** Ends an instance and removes all that bears its name; again, if need be. Throws when something is left. */
export async function removeInstance(host: EsxiHost, name: string, call: CallOptions): Promise<void> {
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
async function releaseVm(host: EsxiHost, { instance, vm, found }: Claim, call: CallOptions): Promise<void> {
  const place = await placeAt(host, instance, vm, call)
  const machine = esxiVm(place)
  const { drop } = createSnapshots(place)
  if (found === undefined) {
    await awaitSent(machine, machine.kill(call.signal), call.signal)
    await drop([], call.signal)
    return
  }
  await giveBack({ ...machine, dropSnapshots: drop }, found, call.signal)
}

/**
 * A machine of an instance's own is ended and forgotten, and its folder removed. `vmsvc/destroy` is not used: it deletes
 * every disk that the machine has, wherever it lies.
 */
async function removeOwn(host: EsxiHost, name: string, call: CallOptions): Promise<void> {
  const machines = await ask(host, listMachines, parseMachines, call)
  for (const file of new Set(machines.filter(row => folderOf(row) === name).map(fileOf))) {
    const place = await placeAt(host, name, file, call)
    const machine = esxiVm(place)
    const { seen } = await awaitSent(machine, machine.kill(call.signal), call.signal)
    if (seen?.power === 'absent') {
      continue
    }
    const command = vimCmd('vmsvc/unregister', place.vmid)
    const [said] = await askAll(host, [command], call)
    const { power } = await machine.observe({ devices: false }, call.signal)
    if (power !== 'absent') {
      const fault = said === undefined ? null : refusalOf(said)
      throw hostError(name, `${name} on ${host.id}: it is still registered: ${fault?.text ?? 'no reason'}`)
    }
  }
  let left: readonly string[] = []
  // A copy that was given up may still be written to, and "Device or resource busy" for that long.
  const isGone = async (): Promise<boolean> => {
    left = await foldersOf(host, name, call)
    if (left.length > 0) {
      await host.shell.run(`rm -rf ${left.map(quote).join(' ')}`, call)
      left = await foldersOf(host, name, call)
    }
    return left.length === 0
  }
  const { limits } = host
  const isDone = await untilHolds(isGone, {
    limit: limits.destroy,
    everyMs: limits.lookEvery.ms,
    signal: call.signal,
  })
  if (!isDone) {
    throw hostError(name, `${name} on ${host.id}: it is still there: ${left.join(', ')}`)
  }
}

/** A machine by its configuration, as it is registered. */
export async function placeAt(
  host: EsxiHost,
  instance: string,
  file: string,
  call: CallOptions,
): Promise<VmPlace> {
  const [, datastore = '', path = ''] = /^\[(.+?)\] (.+)$/.exec(file) ?? []
  // The name of a datastore is a link.
  const linked = `/vmfs/volumes/${datastore}/${path}`
  const real = (await host.shell.run(`readlink -f ${quote(linked)}`, call)).stdout.text.trim()
  return { host, instance, file, path: real === '' ? linked : real, vmid: '' }
}

function folderOf({ file }: MachineRow): string {
  return file.split('/')[0] ?? ''
}

function nameOfFolder(path: string): string {
  return path.split('/').at(-1) ?? ''
}

/** The folders of instances on all datastores, without links: of one, or of all. */
async function foldersOf(host: EsxiHost, name: string | null, call: CallOptions): Promise<string[]> {
  const pattern = name === null ? 'gc-*' : quote(name)
  const command = `for f in /vmfs/volumes/*/${pattern};do [ -d "$f" ]&&readlink -f "$f";done|sort -u`
  const text = await host.shell.demand(command, call)
  return text.split('\n').filter(path => readInstanceName(nameOfFolder(path)) !== null)
}
