import { type CallOptions, hostError } from '../shared/host-commands.js'
import { askLists, type XenServerHost, xe } from './host.js'
import { fieldOf, parseMap } from './output.js'

/** What a host says of itself. */
export interface ObservedHost {
  readonly product: string | null
  readonly version: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly facts: Readonly<Record<string, string>>
}

const fields = 'params=uuid,name-label,software-version,cpu_info,memory-total,memory-free'

/** Asks a host what it is: its product, version and build, its CPUs and its memory. */
export async function observeHost(host: XenServerHost, call: CallOptions): Promise<ObservedHost> {
  const command = xe('host-list', `uuid=${await host.uuid(call.signal)}`, fields)
  const [[record] = []] = await askLists(host, [command], call)
  if (record === undefined) {
    throw hostError(host.id, `${host.id}: the pool does not know this host`)
  }
  const software = parseMap(fieldOf(record, 'software-version'))
  const cpu = parseMap(record.get('cpu_info') ?? '')
  const brand = software.get('product_brand') ?? 'unknown product'
  const version = software.get('product_version') ?? 'unknown version'
  const product = /xcp-ng/i.test(brand) ? 'xcp-ng' : /xenserver/i.test(brand) ? 'xenserver' : undefined
  const mib = (name: string): string => `${Math.floor(Number(fieldOf(record, name)) / 2 ** 20)} MiB`
  const known: Readonly<Record<string, string | undefined>> = {
    'host name': fieldOf(record, 'name-label'),
    hypervisor: `${brand} ${version}`,
    'host product': brand,
    // As labs name it: what contradicts the lab is refused.
    product,
    version,
    'host build': software.get('build_number'),
    'xen version': software.get('xen'),
    'xapi version': software.get('xapi'),
    'host kernel': software.get('linux'),
    'host cpu': cpu.get('modelname'),
    'host cpus': cpu.get('cpu_count'),
    'host memory': mib('memory-total'),
    'host free memory': mib('memory-free'),
  }
  return {
    product: product ?? null,
    version,
    cpus: Number(cpu.get('cpu_count')),
    memoryBytes: Number(fieldOf(record, 'memory-total')),
    facts: Object.fromEntries(
      Object.entries(known).filter((entry): entry is [string, string] => (entry[1] ?? '') !== ''),
    ),
  }
}
