import { UnknownOutput } from '../../hypervisors/shared/unknown-output.js'
import { parseInfo, parseList } from '../../hypervisors/xl/output.js'
import type { Scrub } from '../../text/scrub.js'
import type { Values } from './host-answers.js'

/** What a Xen host without libvirt is asked, by what the answer is called; each is a command of its shell. */
export const xenQuestions = {
  info: 'xl info',
  list: 'xl list',
  name: 'uname -n',
  release: 'cat /etc/os-release',
  bridges: 'ls -d /sys/class/net/*/bridge',
  addresses: 'ip -4 -o addr show',
  leases: 'ls -d /var/lib/misc/dnsmasq.leases',
  images: 'ls -d /var/lib/xen/images',
} as const

export type XenQuestion = keyof typeof xenQuestions

/** The standard output of those commands that ended well. */
export type XenAnswers = Readonly<Partial<Record<XenQuestion, string>>>

/** Answers without which there is no persona. */
export const neededXenAnswers: readonly XenQuestion[] = ['info', 'list']

/** Fields of `xl info` that are another at another time, or stand elsewhere in a persona. */
const elsewhere: ReadonlySet<string> = new Set(
  (
    'host release version machine nr_cpus max_cpu_id nr_nodes cores_per_socket threads_per_core cpu_mhz ' +
    'total_memory free_memory sharing_freed_memory sharing_used_memory outstanding_claims free_cpus ' +
    'xen_major xen_minor xen_extra xen_version'
  ).split(' '),
)

/** `node`: what the host has, as `xl info` counts it. */
export function xenNodeOf(answers: XenAnswers): Values {
  const info = parseInfo(answers.info ?? '')
  const count = (name: string): number => {
    const value = Math.floor(Number(info.get(name) ?? Number.NaN))
    if (Number.isNaN(value)) {
      throw new UnknownOutput(`what the host has, without "${name}",`, (answers.info ?? '').trim())
    }
    return value
  }
  const [cells, cores, threads] = [count('nr_nodes'), count('cores_per_socket'), count('threads_per_core')]
  return {
    model: info.get('machine') ?? '',
    mhz: count('cpu_mhz'),
    cells,
    sockets: Math.max(1, Math.round(count('nr_cpus') / (cells * cores * threads))),
    cores,
    threads,
    memoryKiB: count('total_memory') * 1024,
  }
}

/** `xen`: its version, the first domain's memory, and what else it tells of itself. */
export function xenOf(answers: XenAnswers, scrub: Scrub): Values {
  const info = parseInfo(answers.info ?? '')
  const dom0 = parseList(answers.list ?? '').find(({ id }) => id === 0)
  if (dom0 === undefined) {
    throw new UnknownOutput('the list of domains, without the first,', (answers.list ?? '').trim())
  }
  return {
    version: `${info.get('xen_major')}.${info.get('xen_minor')}${info.get('xen_extra') ?? ''}`,
    dom0KiB: dom0.memoryMiB * 1024,
    ...(answers.images === undefined ? {} : { images: answers.images.trim() }),
    info: Object.fromEntries(
      [...fieldsOf(answers.info ?? '')].flatMap(([name, value]) =>
        elsewhere.has(name) ? [] : [[name, scrub(value)]],
      ),
    ),
  }
}

/** Fields with the blanks at their ends, which the host prints too. */
function fieldsOf(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap(line => {
      const [, name, value] = /^(\w+) *: (.*)$/.exec(line) ?? []
      return name === undefined || value === undefined ? [] : [[name, value]]
    }),
  )
}

/** `network`: the first bridge; `null` where the host has none. Its address is nobody's afterwards. */
export function xenNetworkOf(answers: XenAnswers, scrub: Scrub): Values | null {
  const name = /^\/sys\/class\/net\/([\w.-]+)\/bridge$/m.exec(answers.bridges ?? '')?.[1]
  if (name === undefined) {
    return null
  }
  const line = (answers.addresses ?? '').split('\n').find(row => row.split(/\s+/)[1] === name) ?? ''
  const address = scrub(/\binet (\d+\.\d+\.\d+\.\d+)/.exec(line)?.[1] ?? nowhere)
  const leases = answers.leases?.trim()
  return {
    kind: 'bridge',
    name,
    prefix: address.slice(0, address.lastIndexOf('.')),
    ...(leases === undefined ? {} : { leases }),
  }
}

const nowhere = '192.0.2.1' // RFC 5737
