import { type CallOptions, read } from '../shared/host-commands.js'
import { askAll, demanded, type EsxiHost, vimCmd } from './host.js'
import { type HostSummary, parseFields, parseHost } from './output.js'

/** What a host says of itself. */
export interface ObservedHost extends HostSummary {
  readonly facts: Readonly<Record<string, string>>
}

/** Asks a host what it is: its product, version and build, its CPUs and its memory. */
export async function observeHost(host: EsxiHost, call: CallOptions): Promise<ObservedHost> {
  const commands = ['esxcli system version get', vimCmd('hostsvc/hostsummary'), 'hostname'] as const
  const [version, summary, name] = await askAll(host, commands, call)
  const software = read(parseFields, demanded(host, commands[0], version, call), host.id)
  const observed = read(parseHost, demanded(host, commands[1], summary, call), host.id)
  const { machine, cpu, cpus, memoryBytes, freeBytes } = observed
  const product = software.get('Product')
  const known: Readonly<Record<string, string | undefined>> = {
    'host name': name?.code === 0 ? name.text.trim() : undefined,
    hypervisor: `${product ?? 'unknown product'} ${software.get('Version') ?? ''}`.trim(),
    // As labs name it: what contradicts the lab is refused.
    product: product === 'VMware ESXi' ? 'esxi' : undefined,
    version: software.get('Version'),
    'host build': software.get('Build')?.replace(/^Releasebuild-/, ''),
    'host update': software.get('Update'),
    'host patch': software.get('Patch'),
    'host machine': machine,
    'host cpu': cpu,
    'host cpus': String(cpus),
    'host memory': inMib(memoryBytes),
    'host free memory': freeBytes === null ? undefined : inMib(freeBytes),
  }
  return {
    ...observed,
    facts: Object.fromEntries(
      Object.entries(known).filter((entry): entry is [string, string] => (entry[1] ?? '') !== ''),
    ),
  }
}

function inMib(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)} MiB`
}
