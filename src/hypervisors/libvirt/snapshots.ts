import { InfraError } from '../../config/errors.js'
import { type Sent, showing, type VmBackend } from '../managed-vm/backend.js'
import type { CallOptions } from '../shared/host-commands.js'
import { isActive } from '../shared/power-state.js'
import { callOf, type DomainPlace } from './domain-vm.js'
import type { LibvirtHost } from './host.js'
import { stateOf } from './host.js'

/** Ours begin with this, so that what a dead runner left in a VM can be told from its own. */
export const snapshotPrefix = 'gc-'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** The name in libvirt of a snapshot that a test asks for. Throws InfraError when it cannot be one. */
export function ownName(name: string, where: string): string {
  if (!namePattern.test(name)) {
    const message = `${where}: "${name}" is not a valid snapshot name: use letters, digits, ".", "_" and "-"`
    throw new InfraError(message, { cause: 'runner', where, code: 'driver' })
  }
  return `${snapshotPrefix}${name}`
}

/** When a snapshot was made, in words, for facts of what it brings back; `null` when there is none of that name. */
export async function findSnapshot(
  { virsh }: LibvirtHost,
  domain: string,
  name: string,
  call: CallOptions,
): Promise<string | null> {
  const { code, stdout } = await virsh.ask(['snapshot-dumpxml', domain, name], call)
  const [, seconds] = /<creationTime>(\d+)<\/creationTime>/.exec(stdout.text) ?? []
  const made =
    seconds === undefined ? name : `${name}, made ${new Date(Number(seconds) * 1000).toISOString()}`
  return code === 0 ? made : null
}

/** Snapshots a domain with its memory, in the place of one of that name. */
export async function takeSnapshot(
  host: LibvirtHost,
  domain: string,
  name: string,
  call: CallOptions,
): Promise<void> {
  await deleteSnapshot(host, domain, name, call)
  await host.virsh.call(['snapshot-create-as', domain, name], call)
}

/** Deletes a snapshot, if it is there. */
export async function deleteSnapshot(
  host: LibvirtHost,
  domain: string,
  name: string,
  call: CallOptions,
): Promise<void> {
  if ((await findSnapshot(host, domain, name, call)) !== null) {
    await host.virsh.call(['snapshot-delete', domain, name], call)
  }
}

/**
 * Goes back to a snapshot; the domain runs afterwards, whether it did in the snapshot or not. What it gives must be
 * seen.
 */
export async function revertTo(
  host: LibvirtHost,
  domain: string,
  name: string,
  call: CallOptions,
): Promise<Sent<void>> {
  // Force lets libvirt start a new QEMU where the running one does not fit: after a disk was added.
  await host.virsh.callWith(['snapshot-revert', domain, name], ['--running', '--force'], call)
  const { start } = host.limits
  const after = await stateOf(host, domain, call)
  if (after !== null && !isActive(after.state)) {
    // Before 0.9.5 there is no --running: a snapshot of a domain that was off leaves it off.
    await host.virsh.call(['start', domain], { ...call, limit: start })
  }
  return showing({
    what: `run ${domain} from ${name}`,
    cause: 'host',
    limit: start,
    holds: ({ power }) => power === 'on',
  })
}

/** The names of a domain's snapshots; none where its host knows none. */
export async function listSnapshots(
  { virsh }: LibvirtHost,
  domain: string,
  call: CallOptions,
): Promise<string[]> {
  const { code, stdout } = await virsh.ask(['snapshot-list', domain], call)
  const [, , ...rows] = stdout.text.split('\n').map(line => line.trim().split(/\s+/)[0] ?? '')
  return code === 0 ? rows.filter(name => name !== '') : []
}

/** The snapshots of a lent domain: those that it has, and how ours among them are deleted. */
export function lentSnapshots(
  place: DomainPlace,
): Required<Pick<VmBackend, 'listSnapshots' | 'dropSnapshots'>> {
  const { location, domain } = place
  const list = async (signal: AbortSignal): Promise<readonly string[]> =>
    // Xen's driver knows none.
    location.host.xen
      ? []
      : listSnapshots(location.host, domain, callOf(place, location.host.limits.command, signal))
  return {
    listSnapshots: list,
    dropSnapshots: async (found, signal) => {
      for (const name of await list(signal)) {
        if (name.startsWith(snapshotPrefix) && !found.includes(name)) {
          await deleteSnapshot(
            location.host,
            domain,
            name,
            callOf(place, location.host.limits.snapshot, signal),
          )
        }
      }
    },
  }
}
