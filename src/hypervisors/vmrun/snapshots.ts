import { type Sent, sent, type VmCommands } from '../managed-vm/backend.js'
import { hostError, refused } from '../shared/host-commands.js'
import { demandOf, say, vmrun } from './host.js'
import { faultOf, parseSnapshots } from './output.js'
import { callOf, type VmPlace, vmrunVm } from './vm.js'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** The snapshots of one machine: its own, and those that an instance takes of it with its memory. */
export interface Snapshots extends Required<Pick<VmCommands, 'snapshot' | 'revert' | 'deleteSnapshot'>> {
  /** The names of all that the machine has. */
  list(signal: AbortSignal): Promise<readonly string[]>
  /** Deletes those of the instance that are not among the found. */
  drop(found: readonly string[], signal: AbortSignal): Promise<void>
}

/** Snapshots are called by the instance's name and their own: by that they are told from those of the lab. */
export function createSnapshots(place: VmPlace): Snapshots {
  const { instance } = place
  const fullName = (name: string): string => `${instance}.${name}`
  const has = async (full: string, signal: AbortSignal): Promise<boolean> =>
    (await snapshotsOf(place, signal)).includes(full)
  const remove = async (full: string, signal: AbortSignal): Promise<void> => {
    if (await has(full, signal)) {
      const fault = await tell(place, ['deleteSnapshot', full], signal)
      if (await has(full, signal)) {
        throw notDone(place, `delete the snapshot ${full}`, fault)
      }
    }
  }
  return {
    list: signal => snapshotsOf(place, signal),
    drop: async (found, signal) => {
      for (const full of await snapshotsOf(place, signal)) {
        if (!found.includes(full) && full.startsWith(`${instance}.`)) {
          await remove(full, signal)
        }
      }
    },
    snapshot: async (name, signal): Promise<Sent<void>> => {
      if (!namePattern.test(name)) {
        throw refused(
          instance,
          `"${name}" is not a valid snapshot name: use letters, digits, ".", "_" and "-"`,
        )
      }
      // Names need not be unique, and vmrun refuses one that is not.
      await remove(fullName(name), signal)
      const fault = await tell(place, ['snapshot', fullName(name)], signal)
      if (fault !== null || !(await has(fullName(name), signal))) {
        throw notDone(place, `take the snapshot ${name}`, fault)
      }
      return sent()
    },
    revert: async (name, signal) => {
      if (!(await has(fullName(name), signal))) {
        throw refused(instance, `there is no snapshot "${name}"`)
      }
      await revertTo(place, fullName(name), signal)
      // It does not run until it is started, also where it ran when the snapshot was taken.
      return vmrunVm(place).start(signal)
    },
    deleteSnapshot: async (name, signal) => {
      await remove(fullName(name), signal)
      return sent()
    },
  }
}

/** The names of a machine's snapshots; none where the machine is gone. */
async function snapshotsOf(place: VmPlace, signal: AbortSignal): Promise<string[]> {
  const { power } = await vmrunVm(place).observe({ devices: false }, signal)
  const { host } = place
  const call = callOf(place, host.limits.command, signal)
  return power === 'absent'
    ? []
    : demandOf(host.shell, vmrun('listSnapshots', place.file), parseSnapshots, call)
}

/** Demands that a machine has just one snapshot with a name. Throws InfraError. */
export async function demandSnapshot(place: VmPlace, name: string, signal: AbortSignal): Promise<void> {
  const all = await snapshotsOf(place, signal)
  const { instance, host } = place
  const count = all.filter(each => each === name).length
  if (count === 0) {
    const known = all.join(', ') || 'none'
    throw hostError(instance, `${instance} on ${host.id}: the VM has no snapshot "${name}": it has ${known}`)
  }
  if (count > 1) {
    throw refused(instance, `the VM has ${count} snapshots named "${name}": rename all but one`)
  }
}

/** Takes a machine back to a snapshot. */
export async function revertTo(place: VmPlace, name: string, signal: AbortSignal): Promise<void> {
  const fault = await tell(place, ['revertToSnapshot', name], signal)
  if (fault !== null) {
    throw notDone(place, `go back to the snapshot ${name}`, fault)
  }
}

async function tell(
  place: VmPlace,
  [verb, name]: readonly [verb: string, name: string],
  signal: AbortSignal,
): Promise<string | null> {
  const { shell, limits } = place.host
  return faultOf(await say(shell, vmrun(verb, place.file, name), callOf(place, limits.snapshot, signal)))
}

function notDone({ instance, host }: VmPlace, what: string, said: string | null): Error {
  return hostError(
    instance,
    `${instance} on ${host.id}: the host did not ${what}: ${said ?? 'it says no reason'}`,
  )
}
