import { SystemError } from '../../files/errno.js'
import { VimFault } from './dump.js'
import type { Inventory, Machine, Snapshot } from './inventory.js'
import { powerOff } from './power.js'

export interface SnapshotRequest {
  readonly name: string
  readonly description: string
  readonly isWithMemory: boolean
}

/** Keeps a machine as it is now; without its memory it is off when it comes back. */
export function takeSnapshot(
  inventory: Inventory,
  machine: Machine,
  { name, description, isWithMemory }: SnapshotRequest,
): Snapshot {
  const id = Math.max(0, ...machine.snapshots.map(each => each.id)) + 1
  try {
    inventory.hypervisor.snapshot(machine.vm, String(id), undefined)
  } catch (error) {
    throw error instanceof SystemError ? noSpace() : error
  }
  const state = isWithMemory && inventory.powerOf(machine) === 'poweredOn' ? 'powered on' : 'powered off'
  const snapshot: Snapshot = { id, name, description, parent: machine.current, madeAt: new Date(), state }
  machine.snapshots.push(snapshot)
  machine.current = id
  return snapshot
}

export function noSpace(): VimFault {
  return new VimFault('vim.fault.NoDiskSpace', 'No space left on device')
}

/** The snapshots that are there: one may have vanished. */
export function snapshotsOf({ faults }: Inventory, { snapshots }: Machine): Snapshot[] {
  const vanished = faults.vanishedSnapshot?.name
  return snapshots.filter(({ name }) => vanished === undefined || !new RegExp(vanished).test(name))
}

export function findSnapshot(inventory: Inventory, machine: Machine, word: string | undefined): Snapshot {
  const found = snapshotsOf(inventory, machine).find(({ id }) => String(id) === word)
  if (!found)
    throw new VimFault('vim.fault.NotFound', `Unable to find a snapshot corresponding to "${word ?? ''}"`)
  return found
}

export async function revert(
  inventory: Inventory,
  machine: Machine,
  snapshot: Snapshot,
  suppressPowerOn: boolean,
): Promise<void> {
  const { hypervisor } = inventory
  await hypervisor.revert(machine.vm, String(snapshot.id), 'as-it-was')
  // Another process runs it.
  machine.world = undefined
  machine.current = snapshot.id
  // Without its memory only its disk comes back.
  const isOff = snapshot.state === 'powered off' || suppressPowerOn
  if (isOff && machine.vm.running) await powerOff(inventory, machine)
}

export function remove({ hypervisor }: Inventory, machine: Machine, { id, parent }: Snapshot): void {
  hypervisor.deleteSnapshot(machine.vm, String(id))
  const place = machine.snapshots.findIndex(each => each.id === id)
  machine.snapshots.splice(place, 1)
  for (const [index, each] of machine.snapshots.entries()) {
    if (each.parent === id) machine.snapshots[index] = { ...each, parent }
  }
  if (machine.current === id) machine.current = parent
}

/** The tree of a log of ESXi 7 (JKL): dashes grow by two for each level. How siblings look is assumed: nothing rests on it. */
export function treeText(snapshots: readonly Snapshot[]): string {
  const under = (parent: number | undefined, depth: number): string =>
    snapshots
      .filter(
        each => each.parent === parent || (depth === 0 && !snapshots.some(({ id }) => id === each.parent)),
      )
      .map(({ id, name, description, madeAt, state }) => {
        const dashes = '--'.repeat(depth)
        const inner = `${dashes}--`
        const lines = [
          `${dashes}|-${depth === 0 ? 'ROOT' : 'CHILD'}`,
          `${inner}Snapshot Name        : ${name}`,
          `${inner}Snapshot Id        : ${id}`,
          `${inner}Snapshot Desciption  : ${description}`,
          `${inner}Snapshot Created On  : ${dateText(madeAt)}`,
          `${inner}Snapshot State       : ${state}`,
        ]
        return `${lines.join('\n')}\n${under(id, depth + 1)}`
      })
      .join('')
  return under(undefined, 0)
}

function dateText(at: Date): string {
  const date = [at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCFullYear()].join('/')
  return `${date} ${[at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].join(':')}`
}
