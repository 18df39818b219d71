import { InfraError } from '../../config/errors.js'
import type { CallOptions } from '../shared/host-commands.js'
import { isActive } from '../shared/power-state.js'
import type { LibvirtHost } from './host.js'
import { stateOf, untilState } from './host.js'

/** Ours begin with this, so that what a dead runner left in a VM can be told from its own. */
export const snapshotPrefix = 'gc-'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** The name in libvirt of a snapshot that a test asks for. Throws InfraError when it cannot be one. */
export function ownName(name: string, where: string): string {
  if (!namePattern.test(name)) {
    const message = `${where}: "${name}" is no name for a snapshot: letters, digits, ".", "_" and "-"`
    throw new InfraError(message, { cause: 'runner', where, code: 'driver' })
  }
  return `${snapshotPrefix}${name}`
}

/** Whether a domain has a snapshot of that name. */
export async function hasSnapshot(
  { virsh }: LibvirtHost,
  domain: string,
  name: string,
  call: CallOptions,
): Promise<boolean> {
  const answer = await virsh.ask(['snapshot-dumpxml', domain, name], call)
  return answer.code === 0
}

/** A snapshot by its name and when it was made: its bytes lie in a file that is written to all the time. */
export async function describeSnapshot(
  { virsh }: LibvirtHost,
  domain: string,
  name: string,
  call: CallOptions,
): Promise<string> {
  const { stdout } = await virsh.ask(['snapshot-dumpxml', domain, name], call)
  const [, seconds] = /<creationTime>(\d+)<\/creationTime>/.exec(stdout.text) ?? []
  return seconds === undefined ? name : `${name}, made ${new Date(Number(seconds) * 1000).toISOString()}`
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
  if (await hasSnapshot(host, domain, name, call)) {
    await host.virsh.call(['snapshot-delete', domain, name], call)
  }
}

/** Goes back to a snapshot; the domain runs afterwards, whether it did in the snapshot or not. */
export async function revertTo(
  host: LibvirtHost,
  domain: string,
  name: string,
  call: CallOptions,
): Promise<void> {
  // Force lets libvirt start a new QEMU where the running one does not fit: after a disk was added.
  await host.virsh.callWith(['snapshot-revert', domain, name], ['--running', '--force'], call)
  const { start } = host.limits
  const after = await stateOf(host, domain, call)
  if (after !== null && !isActive(after.state)) {
    // Before 0.9.5 there is no --running: a snapshot of a domain that was off leaves it off.
    await host.virsh.call(['start', domain], { ...call, limit: start })
  }
  await untilState(host, domain, answer => answer !== null && isActive(answer.state), start, call)
}
