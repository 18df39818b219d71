import { readObject } from './api/properties.js'
import { type Element, textAt } from './soap/element.js'
import type { CallOptions } from './soap/session.js'
import type { VsphereHost } from './vm.js'

/** What a host is, as its site sees it. */
export interface HostAccount {
  readonly product: Element | undefined
  readonly hardware: Element | undefined
  readonly connectionState: string
  readonly inMaintenance: boolean
  readonly machine: string
  readonly firmware: string
}

/** Reads what is known of a host. */
export async function accountOf(host: VsphereHost, options: CallOptions): Promise<HostAccount> {
  const { self } = await host.here(options)
  const paths = [
    'config.product',
    'summary.hardware',
    'hardware.biosInfo',
    'runtime.connectionState',
    'runtime.inMaintenanceMode',
  ]
  const read = await readObject(host.site.session, self, paths, options)
  const hardware = read?.at('summary.hardware')
  const bios = read?.at('hardware.biosInfo')
  return {
    product: read?.at('config.product'),
    hardware,
    connectionState: read?.text('runtime.connectionState') ?? 'unknown',
    inMaintenance: read?.text('runtime.inMaintenanceMode') === 'true',
    machine: [textAt(hardware, 'vendor'), textAt(hardware, 'model')].filter(Boolean).join(' '),
    firmware: [textAt(bios, 'biosVersion'), textAt(bios, 'releaseDate')].filter(Boolean).join(' '),
  }
}

/** What a host is, as facts: its product and build, its vCenter, its CPUs and memory, and the machine below. */
export async function hostFacts(host: VsphereHost, options: CallOptions): Promise<Record<string, string>> {
  const { product, hardware, machine, firmware } = await accountOf(host, options)
  const { about, isVcenter } = await host.site.session.content(options)
  const facts: Record<string, string | undefined> = {
    hypervisor: textAt(product, 'fullName'),
    'esxi version': textAt(product, 'version'),
    'esxi build': textAt(product, 'build'),
    'esxi licence': textAt(product, 'licenseProductName'),
    'vcenter version': isVcenter ? about.version : undefined,
    'vcenter build': isVcenter ? about.build : undefined,
    'host name': (await host.here(options)).name,
    'host machine': machine,
    'host firmware': firmware,
    'host cpu': textAt(hardware, 'cpuModel')?.replace(/\s+/g, ' '),
    'host cpus': textAt(hardware, 'numCpuThreads'),
    'host memory': mib(textAt(hardware, 'memorySize')),
  }
  return Object.fromEntries(
    Object.entries(facts).filter((entry): entry is [string, string] => (entry[1] ?? '') !== ''),
  )
}

function mib(bytes: string | undefined): string | undefined {
  return bytes === undefined ? undefined : `${Math.floor(Number(bytes) / 2 ** 20)} MiB`
}
