import { win32 } from 'node:path'
import type { InfraError } from '../../config/errors.js'
import type { Leftover } from '../driver.js'
import { untilHolds } from '../limit.js'
import { giveBack } from '../managed-vm/give-back.js'
import { type Claim, claimText, parseClaims } from '../shared/claims.js'
import type { CallOptions } from '../shared/host-commands.js'
import { readInstanceName } from '../shared/names.js'
import { HostRefused } from './ask.js'
import { instancesFolder } from './clone.js'
import { findMachine, type HyperVHost, listMachines } from './host.js'
import { readRows } from './output.js'
import { askVm, type HyperVPlace, hyperVVm, turnOff } from './vm.js'

/** How the notes of a machine begin that was left on purpose. */
export const keptNotes = 'guestcert: kept. '

/** Every instance on a host, whoever's run it was: machines, folders and claims. */
export async function listInstances(host: HyperVHost, call: CallOptions): Promise<Leftover[]> {
  const machines = await listMachines(host, call)
  const folders = readRows('name', await host.ask('folders', [await rootOf(host, call)], call))
  const claims = new Map((await listClaims(host, call)).map(claim => [claim.instance, claim]))
  const names = [...machines.map(({ name }) => name), ...folders.map(({ name }) => name), ...claims.keys()]
  return [...new Set(names)].flatMap(name => {
    const parts = readInstanceName(name)
    if (parts === null) {
      return []
    }
    const claim = claims.get(name)
    const machine = machines.find(one => one.name === (claim?.vm ?? name))
    const own =
      machine === undefined ? 'a folder without a virtual machine' : `a virtual machine (${machine.state})`
    const kept =
      claim === undefined
        ? machine?.notes?.startsWith(keptNotes) === true
        : claim.kept === true && machine !== undefined
    const what = claim === undefined ? own : `the VM ${claim.vm}, ${machine?.state ?? 'not there'}`
    return [{ name, run: parts.run, what, shared: claim !== undefined, kept }]
  })
}

async function rootOf(host: HyperVHost, call: CallOptions): Promise<string> {
  return instancesFolder((await host.facts(call)).folder)
}

/** Every claim on the host. */
async function listClaims(host: HyperVHost, call: CallOptions): Promise<Claim[]> {
  const rows = readRows('text', await host.ask('claims', [], call))
  return rows.flatMap(({ text }) => parseClaims(text))
}

/** Writes a claim down on the host. */
export async function writeClaim(host: HyperVHost, claim: Claim, call: CallOptions): Promise<void> {
  await host.ask('writeClaim', [claim.instance, claimText(claim)], call)
}

/** Removes a claim, if it is there. */
export async function removeClaim(host: HyperVHost, instance: string, call: CallOptions): Promise<void> {
  await host.ask('removeClaim', [instance], call)
}

/** Ends an instance and removes what was made for it; again, if need be. */
export async function removeInstance(host: HyperVHost, name: string, call: CallOptions): Promise<void> {
  if (readInstanceName(name) === null) {
    return
  }
  const claim = (await listClaims(host, call)).find(({ instance }) => instance === name)
  if (claim !== undefined) {
    await releaseVm(host, claim, call)
    return
  }
  const machine = await findMachine(host, name, call)
  if (machine !== null) {
    const place: HyperVPlace = { host, instance: name, id: machine.id }
    await turnOff(place, call.signal)
    await askVm(place, 'remove', [], call)
  }
  await removeFolder(host, win32.join(await rootOf(host, call), name), call)
}

/** Removes the files of an instance. Those of a checkpoint are in use until they are merged, after Remove-VM. */
async function removeFolder(host: HyperVHost, folder: string, call: CallOptions): Promise<void> {
  const { storage: limit, lookEvery } = host.limits
  let last: InfraError | null = null
  const isRemoved = async (): Promise<boolean> => {
    try {
      await host.ask('removeFolder', [folder], { ...call, limit })
      return true
    } catch (error) {
      if (!(error instanceof HostRefused) || error.context.cause !== 'host') {
        throw error
      }
      last = error
      return false
    }
  }
  if (
    !(await untilHolds(isRemoved, { limit, everyMs: lookEvery.ms, signal: call.signal })) &&
    last !== null
  ) {
    throw last
  }
}

/** Gives back a VM that an instance was itself. */
async function releaseVm(
  host: HyperVHost,
  { instance, vm, ran, found }: Claim,
  call: CallOptions,
): Promise<void> {
  const machine = await findMachine(host, vm, call)
  if (machine !== null) {
    const place: HyperVPlace = { host, instance, id: machine.id }
    if (found !== undefined) {
      await giveBack(hyperVVm(place), found, call.signal)
    } else if (!ran) {
      await turnOff(place, call.signal)
    }
  }
  await removeClaim(host, instance, call)
}
