import { fromText } from '../../files/bytes.js'
import type { FileTree } from '../../files/tree.js'
import { disksOf } from '../domain.js'
import { xmlOf } from '../vm.js'
import { reference, srFull, XeError } from './errors.js'
import { expectState } from './machines.js'
import { type Pool, vdiOf } from './pool.js'
import { vbdUuid, without } from './records.js'
import { demand, type Given, type Verb } from './session.js'

const checkpoint: Verb = async (session, given) => {
  const { pool } = session
  const found = pool.find(given.get('uuid'))
  expectState(session, found, ['running'])
  const name = demand(given, 'new-name-label')
  const { hypervisor } = found.member
  if (session.faults.noSpace) throw srFull(0)
  await hypervisor.halt(found.vm, ms => session.call.process.sleep(ms))
  const { uuid } = pool.keepSnapshot(found, pool.newUuid(), name)
  // Whose disks go with a machine is copied with its devices.
  for (const { target } of disksOf(xmlOf(found.vm))) {
    if (pool.owners.has(vbdUuid(pool, found.uuid, target))) pool.owners.add(vbdUuid(pool, uuid, target))
  }
  return `${uuid}\n`
}

const revert: Verb = async ({ pool, faults }, given) => {
  const snapshot = pool.findSnapshot(demand(given, 'snapshot-uuid'))
  if (without(faults.vanishedSnapshot?.name, snapshot)) throw new XeError('No matching VMs found')
  const found = pool.find(snapshot.of)
  const { hypervisor } = found.member
  if (found.vm.running) await hypervisor.destroy(found.vm)
  pool.suspended.delete(found.uuid)
  pool.reverts.set(found.uuid, (pool.reverts.get(found.uuid) ?? 0) + 1)
  for (const { target } of disksOf(xmlOf(found.vm))) {
    if (pool.owners.has(vbdUuid(pool, snapshot.uuid, target)))
      pool.owners.add(vbdUuid(pool, found.uuid, target))
  }
  if (snapshot.state.state === 'shut off') {
    found.vm.snapshots.set(snapshot.uuid, snapshot.state)
    await hypervisor.revert(found.vm, snapshot.uuid, 'as-it-was')
    found.vm.snapshots.delete(snapshot.uuid)
  } else pool.suspended.set(found.uuid, snapshot)
  return ''
}

/** Destroys disks that are marked as their machine's own; others stay. */
function destroyOwned(
  pool: Pool,
  vm: string,
  disks: readonly { readonly target: string; readonly vdi: string }[],
): string[] {
  return disks.flatMap(({ target, vdi }) => {
    if (!pool.owners.has(vbdUuid(pool, vm, target))) return []
    const { name = '' } = pool.disks.get(vdi) ?? {}
    destroyDisk(pool, vdi)
    return [`VDI: ${reference({ uuid: vdi, name })} `]
  })
}

/** A disk is gone, and with it whatever was to be plugged in. */
export function destroyDisk(pool: Pool, vdi: string): void {
  pool.disks.delete(vdi)
  for (const vbd of pool.vbds.filter(({ id }) => id === vdi)) pool.vbds.splice(pool.vbds.indexOf(vbd), 1)
  const tree: FileTree | undefined = pool.members[0]?.hypervisor.tree
  tree?.directory(pool.folder).entries.delete?.(fromText(`${vdi}.vhd`))
}

function demandForce(given: Given): void {
  // It waits for a "yes" on its standard input, which nobody types.
  if (given.get('force') !== 'true') throw new XeError("Type 'yes' to continue\nAborted")
}

const told = (lines: readonly string[]): string =>
  ['The following items are about to be destroyed', ...lines, 'All objects destroyed', ''].join('\n')

const uninstallSnapshot: Verb = ({ pool }, given) => {
  const snapshot = pool.findSnapshot(demand(given, 'snapshot-uuid'))
  demandForce(given)
  pool.snapshots.splice(pool.snapshots.indexOf(snapshot), 1)
  const { uuid, state } = snapshot
  const disks = disksOf(state.xml).map(({ target }) => ({ target, vdi: pool.snapshotDisk(uuid, target) }))
  return told([`VM : ${reference(snapshot)}`, ...destroyOwned(pool, uuid, disks)])
}

const uninstall: Verb = async ({ pool }, given) => {
  const found = pool.find(given.get('uuid'))
  demandForce(given)
  const { vm, uuid, member } = found
  if (vm.running) await member.hypervisor.destroy(vm)
  pool.suspended.delete(uuid)
  const disks = disksOf(xmlOf(vm)).map(({ target, file }) => ({ target, vdi: vdiOf(file ?? '') }))
  member.hypervisor.undefine(vm)
  for (const list of [pool.vbds, pool.vifs]) {
    for (const device of list.filter(each => each.vm === uuid)) list.splice(list.indexOf(device), 1)
  }
  return told([`VM : ${reference(found)}`, ...destroyOwned(pool, uuid, disks)])
}

export const snapshotVerbs: Readonly<Record<string, Verb>> = {
  'vm-checkpoint': checkpoint,
  'snapshot-revert': revert,
  'snapshot-uninstall': uninstallSnapshot,
  'vm-uninstall': uninstall,
}
