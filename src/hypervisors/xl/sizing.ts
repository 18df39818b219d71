import { quote } from '../../remote/index.js'
import { type CallOptions, refused } from '../shared/host-commands.js'
import type { DomainConfig } from './config.js'
import { maxVcpusOf, memoryMiBOf } from './declared.js'
import { findDomain, guestIsLate, until, type XlHost, xl } from './host.js'
import type { ListedDomain } from './output.js'

/** A running domain and what it was created from. */
export interface Sized {
  readonly host: XlHost
  readonly domain: string
  readonly config: DomainConfig
}

/**
 * Gives a guest so many vCPUs, and waits until it has let go of the others. One that it is given anew it may leave
 * offline until somebody brings it up inside, as Debian does: there is nothing to be waited for.
 */
export async function setVcpus(sized: Sized, count: number, call: CallOptions): Promise<void> {
  const { host, domain, config } = sized
  const most = maxVcpusOf(config)
  if (!Number.isInteger(count) || count < 1 || count > most) {
    throw refused(call.where, `${count} is no number of vCPUs that it can have: from 1 to ${most}`)
  }
  // Without -i it refuses more than the host has CPUs, which it did not when the domain was created.
  await host.shell.demand(xl('vcpu-set', '-i', quote(domain), String(count)), call)
  await untilSized(sized, ({ vcpus }) => vcpus <= count, `let go of all but ${count} vCPUs`, call)
}

/** Leaves a guest so much memory, and waits until it has that. */
export async function setMemory(sized: Sized, bytes: number, call: CallOptions): Promise<void> {
  const { host, domain, config } = sized
  const mib = Math.floor(bytes / 2 ** 20)
  const most = memoryMiBOf(config)
  if (!(mib >= 1 && mib <= most)) {
    throw refused(call.where, `${bytes} bytes are no memory that it can have: from 1 MiB to ${most} MiB`)
  }
  await host.shell.demand(xl('mem-set', quote(domain), `${mib}m`), call)
  // The list rounds down what it shows.
  const has = ({ memoryMiB }: ListedDomain): boolean => memoryMiB === mib || memoryMiB === mib - 1
  await untilSized(sized, has, `come to ${mib} MiB of memory`, call)
}

async function untilSized(
  { host, domain }: Sized,
  holds: (domain: ListedDomain) => boolean,
  what: string,
  call: CallOptions,
): Promise<void> {
  let seen: ListedDomain | null = null
  const look = async (): Promise<boolean> => {
    seen = await findDomain(host, domain, call)
    return seen !== null && holds(seen)
  }
  if (!(await until(host, look, host.limits.unplug, call.signal))) {
    throw guestIsLate(host, call.where, what, host.limits.unplug, describe(seen))
  }
}

function describe(domain: ListedDomain | null): string {
  return domain === null
    ? 'the domain is not there'
    : `it has ${domain.vcpus} vCPUs and ${domain.memoryMiB} MiB`
}
