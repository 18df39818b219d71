import { InfraError } from '../../config/errors.js'
import type { CallOptions } from '../shared/host-commands.js'
import { isActive } from '../shared/power-state.js'
import { type LibvirtHost, stateOf, untilState } from './host.js'
import type { StateAnswer } from './output.js'

/** A domain on a host, and the instance that messages name. */
export interface PowerTarget {
  readonly host: LibvirtHost
  readonly domain: string
  readonly where: string
}

const never = new AbortController().signal
const isOff = (answer: StateAnswer | null): boolean => answer === null || !isActive(answer.state)

/** Starts a domain unless it runs. */
export async function startDomain({ host, domain, where }: PowerTarget, signal: AbortSignal): Promise<void> {
  const call = { signal, limit: host.limits.start, where }
  const before = await stateOf(host, domain, call)
  if (before === null || !isActive(before.state)) {
    await host.virsh.call(['start', domain], call)
  } else if (before.state === 'paused') {
    await host.virsh.call(['resume', domain], call)
  }
}

/** Asks the guest to shut down and waits until it has. Throws InfraError: its fault when it has not in time. */
export async function shutDown({ host, domain, where }: PowerTarget, signal: AbortSignal): Promise<void> {
  const call = { signal, limit: host.limits.command, where }
  const before = await stateOf(host, domain, call)
  if (isOff(before)) {
    return
  }
  if (before?.state === 'paused') {
    await host.virsh.call(['resume', domain], call)
  }
  await host.virsh.call(['shutdown', domain], call)
  await untilState(host, domain, isOff, host.limits.shutdown, call, 'guest')
}

/** Asks the guest to shut down and waits, then ends it by force. Again, if need be. */
export async function stopDomain(target: PowerTarget, signal: AbortSignal): Promise<void> {
  const { host, domain, where } = target
  const call: CallOptions = { signal, limit: host.limits.command, where }
  try {
    if ((await stateOf(host, domain, call))?.state !== 'crashed') {
      await shutDown(target, signal)
    }
  } catch (error) {
    // Whatever kept it from its end, force does not: but nothing is forced on a host that is not reached.
    if (error instanceof InfraError && (error.context.code === 'lost' || error.context.code === 'connect')) {
      throw error
    }
  }
  await destroyDomain(target, signal.aborted ? never : signal)
}

/** Ends a domain at once, if it runs. */
export async function destroyDomain(
  { host, domain, where }: PowerTarget,
  signal: AbortSignal,
): Promise<void> {
  const call = { signal, limit: host.limits.destroy, where }
  const answer = await stateOf(host, domain, call)
  if (answer === null || answer.state === 'shut off') {
    return
  }
  const destroyed = await host.virsh.ask(['destroy', domain], call)
  const after = await stateOf(host, domain, call)
  if (after !== null && after.state !== 'shut off') {
    const said = destroyed.stderr.trim()
    const message = `${where} on ${host.id}: virsh destroy ${domain} left it ${after.state}: ${said}`
    throw new InfraError(message, { cause: 'host', where, code: 'command' })
  }
}
