import { InfraError } from '../../config/errors.js'
import { quote } from '../../remote/index.js'
import { type CallOptions, hostError } from '../shared/host-commands.js'
import { findDomain, guestIsLate, until, type XlHost, xl, xlOrXm } from './host.js'

/** One domain of a host, whether it is there or not. */
export interface XlDomain {
  readonly host: XlHost
  readonly domain: string
  /** True for a guest that emulated hardware may have to ask to shut down, as it has no drivers of Xen's. */
  readonly hvm: boolean
  /** The file of its configuration, as a word of a shell command. */
  readonly file: string
}

const never = new AbortController().signal

/** Creates a domain that is not there, or that only waits to be cleared away. */
export async function createDomain({ host, domain, file }: XlDomain, call: CallOptions): Promise<void> {
  await destroyDomain(host, domain, { ...call, limit: host.limits.destroy })
  await host.shell.demand(xl('create', file), { ...call, limit: host.limits.start })
}

/** Ends a domain at once, if it is there. */
export async function destroyDomain(host: XlHost, domain: string, call: CallOptions): Promise<void> {
  if ((await findDomain(host, domain, call)) === null) {
    return
  }
  const { stderr } = await host.shell.run(xl('destroy', quote(domain)), call)
  if ((await findDomain(host, domain, call)) !== null) {
    throw hostError(
      call.where,
      `${call.where} on ${host.id}: xl destroy ${domain} left it there: ${stderr.trim()}`,
    )
  }
}

/** Asks the guest to shut down and waits until it has. */
export async function shutDown(target: XlDomain, call: CallOptions): Promise<void> {
  const { host, domain } = target
  const before = await findDomain(host, domain, call)
  if (before === null) {
    return
  }
  if (before.state === 'paused') {
    await host.shell.demand(xl('unpause', quote(domain)), call)
  }
  await host.shell.demand(shutdownCommand(target), call)
  const { shutdown } = host.limits
  const isGone = async (): Promise<boolean> => (await findDomain(host, domain, call)) === null
  if (!(await until(host, isGone, shutdown, call.signal))) {
    // A VM of the host's own may be configured to stay when it has shut down.
    if ((await findDomain(host, domain, call))?.state !== 'in shutdown') {
      throw guestIsLate(host, call.where, 'shut down', shutdown)
    }
  }
}

/** Asks the guest to shut down and waits, then ends it by force. Again, if need be. */
export async function stopDomain(target: XlDomain, where: string, signal: AbortSignal): Promise<void> {
  const { host, domain } = target
  const { limits } = host
  const call = { signal, limit: limits.command, where }
  try {
    if ((await findDomain(host, domain, call))?.state !== 'crashed') {
      await shutDown(target, call)
    }
  } catch (error) {
    // Whatever kept it from its end, force does not: but nothing is forced on a host that is not reached.
    if (error instanceof InfraError && (error.context.code === 'lost' || error.context.code === 'connect')) {
      throw error
    }
  }
  await destroyDomain(host, domain, {
    ...call,
    limit: limits.destroy,
    signal: signal.aborted ? never : signal,
  })
}

/** With `-F` the button is pressed of a machine whose guest does not listen to Xen. */
function shutdownCommand({ domain, hvm }: XlDomain): string {
  const plain = ['shutdown', quote(domain)]
  return hvm ? xlOrXm(['shutdown', '-F', quote(domain)], plain) : xl(...plain)
}
