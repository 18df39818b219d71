import { cpusOf, dom0KiB } from './list.js'
import { type Session, say, type Verb } from './session.js'

/** What `xl info` and `xm info` tell, field by field. */
export function infoFields(session: Pick<Session, 'call' | 'host'>): (readonly [string, string])[] {
  const { call, host } = session
  const { node, xen, libvirt, hypervisor } = host.persona
  const { uname } = call.system
  const taken = host.hypervisor.load.now.memoryBytes / 1024
  const free = node.memoryKiB - (xen ? dom0KiB(host) : 0) - taken
  const version = xen?.version ?? libvirt?.hypervisor.replace(/^Xen /, '') ?? ''
  const [major = '', minor = '', ...extra] = version.split('.')
  const machine: (readonly [string, string])[] = [
    ['host', uname.nodename],
    ['release', uname.release],
    ['version', uname.version],
    ['machine', uname.machine],
    ['nr_cpus', String(cpusOf(host))],
    ...(xen
      ? ([
          ['max_cpu_id', String(cpusOf(host) - 1)],
          ['nr_nodes', String(node.cells)],
        ] as const)
      : []),
    ['cores_per_socket', String(node.cores)],
    ['threads_per_core', String(node.threads)],
    ['cpu_mhz', xen ? `${node.mhz}.000` : String(node.mhz)],
  ]
  const memory: (readonly [string, string])[] = [
    ['total_memory', String(Math.floor(node.memoryKiB / 1024))],
    ['free_memory', String(Math.max(0, Math.floor(free / 1024)))],
  ]
  if (!xen) {
    return [
      ...machine,
      ...memory,
      ['xen_major', major],
      ['xen_minor', minor],
      ['xen_caps', hypervisor.directory['properties/capabilities'] ?? ''],
    ]
  }
  const told = (names: readonly string[]): (readonly [string, string])[] =>
    names.flatMap(name => (xen.info[name] === undefined ? [] : [[name, xen.info[name]] as const]))
  return [
    ...machine,
    ...told(['hw_caps', 'virt_caps']),
    ...memory,
    ['sharing_freed_memory', '0'],
    ['sharing_used_memory', '0'],
    ['outstanding_claims', '0'],
    ['free_cpus', '0'],
    ['xen_major', major],
    ['xen_minor', minor],
    ['xen_extra', extra.length === 0 ? '' : `.${extra.join('.')}`],
    ['xen_version', version],
    ...Object.entries(xen.info).filter(([name]) => !['hw_caps', 'virt_caps'].includes(name)),
  ]
}

/** The fields as xl and xm write them. */
export function writeFields(fields: readonly (readonly [string, string])[]): string {
  return fields.map(([name, value]) => `${name.padEnd(22)} : ${value}\n`).join('')
}

const info: Verb = {
  flags: 'vtT',
  words: '',
  does: 'Get information about Xen host',
  about: '-n, --numa         List host NUMA topology information',
  options: 'n',
  long: { numa: 'n' },
  least: 0,
  run: async session => {
    await say(session, writeFields(infoFields(session)))
    return 0
  },
}

export const infoVerbs: Readonly<Record<string, Verb>> = { info }
