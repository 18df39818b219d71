import { posix } from 'node:path'
import { quote } from '../../remote/index.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { type CallOptions, refused } from '../shared/host-commands.js'
import { makeFile, removeFiles } from '../shared/storage.js'
import { type XlPlace, xlVm } from './domain-vm.js'
import { xl } from './host.js'
import type { Hotplug } from './hotplug.js'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Snapshots of one instance: its memory and its disks, in files beside the disks that bear its name. */
export interface Snapshots {
  take(name: string, call: CallOptions): Promise<void>
  revert(name: string, call: CallOptions): Promise<void>
  remove(name: string, call: CallOptions): Promise<void>
}

export interface SnapshotsRequest {
  /** A domain of the instance's own. */
  readonly place: XlPlace
  /** The files of the disks that it was created with and may write to. */
  readonly disks: readonly [string, ...string[]]
  readonly hotplug: Hotplug
}

/** What belongs to one moment. */
interface Snapshot {
  readonly memory: string
  readonly disks: readonly { readonly file: string; readonly copy: string }[]
  readonly added: ReadonlyMap<string, string>
}

/**
 * xl can save a domain's memory and knows nothing of its disks, so those are copied while the domain is saved and does
 * not run. `xl save -c` and `-p` would keep the domain, but the xl that waits to create it anew when it reboots
 * (xl(1), "create") takes that for its end and goes away. After a restore there is one again.
 */
export function createSnapshots({ place, disks: own, hotplug }: SnapshotsRequest): Snapshots {
  const { host, domain } = place
  const { shell, limits } = host
  const vm = xlVm(place)
  const taken = new Map<string, Snapshot>()

  const restore = async ({ memory }: Snapshot, call: CallOptions): Promise<void> => {
    await shell.demand(xl('restore', quote(memory)), { ...call, limit: limits.snapshot })
  }
  const removeSnapshot = async ({ memory, disks }: Snapshot, call: CallOptions): Promise<void> =>
    removeFiles(shell, [memory, ...disks.map(({ copy }) => copy)], call)
  const remove = async (name: string, call: CallOptions): Promise<void> => {
    const snapshot = taken.get(name)
    if (snapshot !== undefined) {
      await removeSnapshot(snapshot, call)
      taken.delete(name)
    }
  }

  return {
    remove,
    take: async (name, call) => {
      if (!namePattern.test(name)) {
        throw refused(
          call.where,
          `"${name}" is not a valid snapshot name: use letters, digits, ".", "_" and "-"`,
        )
      }
      if ((await vm.observe({ devices: false }, call.signal)).power === 'paused') {
        throw refused(call.where, 'a guest that is paused cannot be saved: resume it first')
      }
      await remove(name, call)
      const files = [...own, ...hotplug.added.values()]
      const snapshot: Snapshot = {
        memory: posix.join(posix.dirname(own[0]), `${domain}.snapshot-${name}.save`),
        disks: files.map(file => ({ file, copy: copyOf(file, domain, name) })),
        added: new Map(hotplug.added),
      }
      try {
        await shell.demand(`umask 077;${xl('save', quote(domain), quote(snapshot.memory))}`, {
          ...call,
          limit: limits.snapshot,
        })
        try {
          for (const { file, copy } of snapshot.disks) {
            await makeFile(shell, { from: file, to: copy, how: 'copy' }, { ...call, limit: limits.storage })
          }
        } finally {
          await restore(snapshot, call)
        }
      } catch (error) {
        await removeSnapshot(snapshot, call).catch(() => {})
        throw error
      }
      taken.set(name, snapshot)
    },
    revert: async (name, call) => {
      const snapshot = taken.get(name)
      if (snapshot === undefined) {
        throw refused(
          call.where,
          `there is no snapshot "${name}": there are ${[...taken.keys()].join(', ') || 'none'}`,
        )
      }
      await awaitSent(vm, vm.kill(call.signal), call.signal)
      for (const { file, copy } of snapshot.disks) {
        // A new file: the old one may not be let go of yet, and one that is half copied is not a disk.
        const fresh = `${file}.new`
        await makeFile(shell, { from: copy, to: fresh, how: 'copy' }, { ...call, limit: limits.storage })
        await shell.demand(`mv -f ${quote(fresh)} ${quote(file)}`, call)
      }
      await restore(snapshot, call)
      await hotplug.becomes(snapshot.added, call)
    },
  }
}

/** `/disks/gc-1.xvda.img` becomes `/disks/gc-1.snapshot-NAME.xvda.img`. */
function copyOf(file: string, instance: string, name: string): string {
  const rest = posix.basename(file).slice(`${instance}.`.length)
  return posix.join(posix.dirname(file), `${instance}.snapshot-${name}.${rest}`)
}
