import { InfraError } from '../../config/errors.js'
import { untilHolds } from '../limit.js'
import { type CallOptions, read, refused } from '../shared/host-commands.js'
import { hasBalloon, hasSpareVcpus } from './domain.js'
import type { LibvirtHost } from './host.js'
import { type DomainInfo, parseDomainInfo } from './output.js'
import type { XmlElement } from './xml.js'

/** A guest gives memory back in whole pages, and some balloons in larger pieces. */
const memorySlackBytes = 1024 * 1024

/**
 * Whether the number of a domain's vCPUs can be changed while it runs, as far as its definition says. In software
 * emulation it cannot: QEMU 7.2 never tells that an unplugged vCPU is gone (seen on Debian 12: DEVICE_DELETED comes
 * for its APIC alone), libvirt goes on counting it, and the next move of the guest crashes QEMU.
 */
export function canSetVcpus(domain: XmlElement, xen: boolean): boolean {
  return xen || (domain.attributes.type !== 'qemu' && hasSpareVcpus(domain))
}

/** Whether a domain's memory can be changed while it runs. */
export function canSetMemory(domain: XmlElement, xen: boolean): boolean {
  return xen || hasBalloon(domain)
}

/** Gives a running domain so many vCPUs; resolves when the host sees that the guest has them. */
export async function setVcpus(
  host: LibvirtHost,
  domain: string,
  count: number,
  call: CallOptions,
): Promise<void> {
  if (!Number.isInteger(count) || count < 1) {
    throw refused(call.where, `${count} is no number of vCPUs`)
  }
  // Xen's driver of old knows no flags, and changes what runs without them.
  await ask(host, ['setvcpus', domain, String(count), ...(host.xen ? [] : ['--live'])], call)
  const shown = ({ vcpus }: DomainInfo): string => `${vcpus} vCPUs`
  await untilInfo(host, domain, ({ vcpus }) => vcpus === count, { wanted: `${count} vCPUs`, shown }, call)
}

/** Leaves a running domain so much memory; resolves when the host sees that the guest has given the rest back. */
export async function setMemory(
  host: LibvirtHost,
  domain: string,
  bytes: number,
  call: CallOptions,
): Promise<void> {
  const kib = Math.floor(bytes / 1024)
  if (!Number.isInteger(kib) || kib < 1) {
    throw refused(call.where, `${bytes} bytes are no amount of memory`)
  }
  await ask(host, ['setmem', domain, String(kib)], call)
  const shown = ({ memoryBytes }: DomainInfo): string => `${memoryBytes / 1024} KiB`
  const isThere = ({ memoryBytes }: DomainInfo): boolean =>
    Math.abs(memoryBytes - kib * 1024) <= memorySlackBytes
  await untilInfo(host, domain, isThere, { wanted: `${kib} KiB`, shown }, call)
}

/** libvirt waits for the guest, but not for long: one that is slow may still do it. */
async function ask({ virsh }: LibvirtHost, args: readonly string[], call: CallOptions): Promise<void> {
  try {
    await virsh.call(args, call)
  } catch (error) {
    if (
      !(error instanceof InfraError && error.context.code === 'command' && /timed out/.test(error.message))
    ) {
      throw error
    }
  }
}

interface Words {
  readonly wanted: string
  readonly shown: (info: DomainInfo) => string
}

async function untilInfo(
  { virsh, id, limits }: LibvirtHost,
  domain: string,
  isWanted: (info: DomainInfo) => boolean,
  { wanted, shown }: Words,
  call: CallOptions,
): Promise<void> {
  const look = async (): Promise<DomainInfo> =>
    read(parseDomainInfo, await virsh.call(['dominfo', domain], call), id)
  const { unplug, lookEvery } = limits
  let info = await look()
  const holds = async (): Promise<boolean> => {
    info = isWanted(info) ? info : await look()
    return isWanted(info)
  }
  if (await untilHolds(holds, { limit: unplug, everyMs: lookEvery.ms, signal: call.signal })) {
    return
  }
  const message = `${call.where} on ${id}: the guest has ${shown(info)}, not ${wanted}, after ${unplug.name} (${unplug.ms} ms)`
  throw new InfraError(message, { cause: 'guest', where: call.where, code: 'limit', limit: unplug.name })
}
