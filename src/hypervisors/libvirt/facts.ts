import { type CallOptions, read } from '../shared/host-commands.js'
import { emulatedCommand, firmwareCommand, onOneLine, parseRelease } from '../shared/host-facts.js'
import type { LibvirtHost } from './host.js'
import { parseNodeInfo } from './output.js'
import { childrenOf, find, parseXml, textAt } from './xml.js'

const cut = '--guestcert--'

/** What a host is: product, kernel, firmware, libvirt, hypervisor, CPUs and memory. */
export async function hostFacts(host: LibvirtHost, call: CallOptions): Promise<Record<string, string>> {
  const { library, hypervisor, api } = await host.versions(call)
  const node = read(parseNodeInfo, await host.virsh.call(['nodeinfo'], call), host.id)
  const capabilities = await host.virsh.call(['capabilities'], call)
  const files = 'cat /etc/os-release 2>/dev/null||cat /etc/redhat-release /etc/SuSE-release 2>/dev/null'
  const system = await host.virsh.demand(
    `uname -r;echo ${cut};${files};echo ${cut};${firmwareCommand};echo ${cut};${emulatedCommand}`,
    call,
  )
  const [kernel = '', release = '', firmware = '', emulated = ''] = system.split(`${cut}\n`)
  const facts: Record<string, string | null> = {
    'host product': parseRelease(release),
    'host kernel': kernel.trim(),
    emulated: emulated.trim(),
    'host firmware': onOneLine(firmware),
    'libvirt version': library,
    hypervisor: hypervisor ?? api,
    'host cpus': String(node.cpus),
    'host memory': `${Math.floor(node.memoryBytes / 1024)} KiB`,
    ...capabilityFacts(capabilities),
  }
  return Object.fromEntries(
    Object.entries(facts).filter((entry): entry is [string, string] => (entry[1] ?? '') !== ''),
  )
}

/** What `virsh capabilities` says of the host's CPU and of the guests that it can run. */
export function capabilityFacts(text: string): Record<string, string | null> {
  const root = parseXml(text.slice(Math.max(0, text.indexOf('<'))))
  const cpu = find(root, 'host', 'cpu')
  const types = childrenOf(root, 'guest').flatMap(guest =>
    childrenOf(find(guest, 'arch'), 'domain').flatMap(domain => domain.attributes.type ?? []),
  )
  return {
    'host arch': textAt(cpu, 'arch') ?? null,
    'host cpu': textAt(cpu, 'model') ?? null,
    'host cpu vendor': textAt(cpu, 'vendor') ?? null,
    'domain types': [...new Set(types)].sort().join(' ') || null,
  }
}
