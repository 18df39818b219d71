import { parseNodeInfo, parseVersions } from '../../hypervisors/libvirt/output.js'
import { childrenOf, find, parseXml, textAt, type XmlElement } from '../../hypervisors/libvirt/xml.js'
import { parseRelease } from '../../hypervisors/shared/host-facts.js'
import { UnknownOutput } from '../../hypervisors/shared/unknown-output.js'

/** What a host of libvirt is asked, by what the answer is called; each is a command of its shell. */
export const hostQuestions = {
  version: 'virsh version',
  uri: 'virsh uri',
  nodeinfo: 'virsh nodeinfo',
  capabilities: 'virsh capabilities',
  network: 'virsh net-dumpxml default',
  pool: 'virsh pool-dumpxml default',
  formats: 'qemu-img --help',
  leases: 'ls -d /var/lib/libvirt/dnsmasq/default.leases',
  images: 'ls -d /var/lib/libvirt/images',
  release: 'cat /etc/os-release',
} as const

export type HostQuestion = keyof typeof hostQuestions

/** The standard output of those commands that ended well. */
export type HostAnswers = Readonly<Partial<Record<HostQuestion, string>>>

/** Answers without which there is no persona. */
export const neededAnswers: readonly HostQuestion[] = ['version', 'uri', 'nodeinfo', 'capabilities']

/** The values of a persona's section. */
export type Values = Readonly<Record<string, unknown>>

/** `node`: what `virsh nodeinfo` counts. */
export function nodeOf(answers: HostAnswers): Values {
  const text = answers.nodeinfo ?? ''
  const { model, memoryBytes } = parseNodeInfo(text)
  const count = (name: string): number => {
    const line = text.split('\n').find(other => other.startsWith(`${name}:`)) ?? ''
    const value = Number.parseInt(line.slice(name.length + 1), 10)
    if (Number.isNaN(value)) {
      throw new UnknownOutput(`what the host has, without "${name}",`, text.trim())
    }
    return value
  }
  return {
    model,
    mhz: count('CPU frequency'),
    cells: count('NUMA cell(s)'),
    sockets: count('CPU socket(s)'),
    cores: count('Core(s) per socket'),
    threads: count('Thread(s) per core'),
    memoryKiB: memoryBytes / 1024,
  }
}

/** `libvirt`: how it calls itself, and what it drives. */
export function libvirtOf(answers: HostAnswers): Values {
  const text = answers.version ?? ''
  const { library, api } = parseVersions(text)
  const line = (name: string): string => new RegExp(`^${name}: (.+)$`, 'm').exec(text)?.[1] ?? ''
  const capabilities = xmlOf(answers.capabilities)
  const guest = x86Guest(capabilities)
  const arch = find(guest, 'arch')
  const machines = childrenOf(arch, 'machine')
  const usual = machines.find(machine => machine.children.includes('pc'))
  const emulator = textAt(arch, 'emulator')
  const security = find(capabilities, 'host', 'secmodel')
  const model = textAt(security, 'model')
  const machineType = usual?.attributes.canonical
  return {
    version: library,
    uri: (answers.uri ?? '').trim(),
    api: line('Using API') || api,
    hypervisor: line('Running hypervisor'),
    ...(emulator === undefined ? {} : { emulator }),
    images: textAt(xmlOf(answers.pool), 'target', 'path') ?? '/var/lib/libvirt/images',
    format: /^Supported formats:.*\bqcow2\b/m.test(answers.formats ?? '') ? 'qcow2' : 'raw',
    ...(machineType === undefined ? {} : { machineType }),
    ...(model === undefined ? {} : { security: { model, doi: textAt(security, 'doi') ?? '0' } }),
  }
}

/** `network`: libvirt's default one; `null` where the host has none. */
export function networkOf(answers: HostAnswers): Values | null {
  const root = xmlOf(answers.network)
  const prefix = /^(\d+\.\d+\.\d+)\.\d+$/.exec(find(root, 'ip')?.attributes.address ?? '')?.[1]
  const name = textAt(root, 'name')
  if (prefix === undefined || name === undefined) {
    return null
  }
  const leases = answers.leases?.trim()
  return { kind: 'network', name, prefix, ...(leases === undefined ? {} : { leases }) }
}

/** The kinds of domains that the host can run: `kvm`, `qemu`, `xen`. */
export function domainTypes(answers: HostAnswers): readonly string[] {
  return childrenOf(find(x86Guest(xmlOf(answers.capabilities)), 'arch'), 'domain').flatMap(
    ({ attributes }) => attributes.type ?? [],
  )
}

/** The product as the host calls itself, and the word of os-release(5) for it. */
export function productOf(answers: HostAnswers): { readonly pretty: string | null; readonly id: string } {
  const text = answers.release ?? ''
  return { pretty: parseRelease(text), id: /^ID="?([\w.-]+)"?$/m.exec(text)?.[1] ?? '' }
}

function x86Guest(capabilities: XmlElement | undefined): XmlElement | undefined {
  return childrenOf(capabilities, 'guest').find(
    guest => find(guest, 'arch')?.attributes.name === 'x86_64' && textAt(guest, 'os_type') === 'hvm',
  )
}

function xmlOf(text: string | undefined): XmlElement | undefined {
  if (text === undefined || !text.includes('<')) {
    return undefined
  }
  try {
    return parseXml(text.slice(text.indexOf('<')))
  } catch {
    throw new UnknownOutput('the XML of a host', text.trim())
  }
}
