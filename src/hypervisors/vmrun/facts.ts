import { InfraError } from '../../config/errors.js'
import { type CallOptions, read } from '../shared/host-commands.js'
import { firmwareCommand, onOneLine, parseRelease } from '../shared/host-facts.js'
import { runSeveral } from '../shared/several.js'
import { demanded, type VmrunHost } from './host.js'
import { parseProduct, parseVmrunVersion } from './output.js'
import { serverRefusal } from './server-refusal.js'

/** What a host says of itself. */
export interface ObservedHost {
  readonly facts: Readonly<Record<string, string>>
  readonly cpus: number
  readonly memoryBytes: number
}

const questions = {
  product: 'vmware -v',
  // Without a command it prints its usage, and fails.
  vmrun: 'vmrun;:',
  cpus: 'nproc',
  memory: "sed -n 's/^MemTotal: *\\([0-9]*\\) kB$/\\1/p' /proc/meminfo",
  system: 'cat /etc/os-release',
  kernel: 'uname -r',
  cpu: "sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo|head -n 1",
  firmware: `${firmwareCommand};:`,
} as const

/** Asks a host what it is. Throws InfraError for VMware Server, with the reason. */
export async function observeHost({ id, shell }: VmrunHost, call: CallOptions): Promise<ObservedHost> {
  const names = Object.keys(questions) as (keyof typeof questions)[]
  const answers = await runSeveral(shell, Object.values(questions), call)
  const said = (name: keyof typeof questions): string => {
    const answer = answers[names.indexOf(name)]
    return answer?.code === 0 ? answer.text : ''
  }
  const [version] = answers
  const {
    name,
    version: number,
    build,
  } = read(parseProduct, demanded(shell, questions.product, version ?? { code: 1, text: '' }, call), id)
  if (/\bServer\b/.test(name)) {
    throw new InfraError(`${id}: ${serverRefusal}`, { cause: 'runner', where: id, code: 'driver' })
  }
  const [cpus, memoryKib] = [Number(said('cpus')), Number(said('memory'))]
  const known: Readonly<Record<string, string | null>> = {
    hypervisor: `${name} ${number}`,
    // As labs name it: what contradicts the lab is refused.
    product: name === 'VMware Workstation' ? 'vmware-workstation' : null,
    version: number,
    'host build': build,
    'vmrun version': parseVmrunVersion(said('vmrun')),
    'host product': parseRelease(said('system')),
    'host kernel': said('kernel').trim(),
    'host cpu': said('cpu').trim(),
    'host cpus': String(cpus),
    'host memory': `${Math.floor(memoryKib / 1024)} MiB`,
    'host firmware': onOneLine(said('firmware')),
  }
  const facts = Object.entries(known).filter(
    (entry): entry is [string, string] => entry[1] !== null && entry[1] !== '',
  )
  return { facts: Object.fromEntries(facts), cpus, memoryBytes: memoryKib * 1024 }
}
