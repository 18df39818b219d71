import { type CallOptions, read } from '../shared/host-commands.js'
import { emulatedCommand, firmwareCommand, onOneLine, parseRelease } from '../shared/host-facts.js'
import { whichToolstack, type XlHost, xl } from './host.js'
import { parseInfo } from './output.js'

const cut = '--guestcert--'

/** What a host is: Xen, dom0's system, CPUs and memory, and the machine below with its firmware. */
export async function hostFacts({ shell }: XlHost, call: CallOptions): Promise<Record<string, string>> {
  const info = read(parseInfo, await shell.demand(xl('info'), call), shell.host)
  const files = 'cat /etc/os-release 2>/dev/null||cat /etc/redhat-release /etc/SuSE-release 2>/dev/null'
  const machine = 'cat /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_name 2>/dev/null'
  const cpu = "sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo|head -n 1"
  const questions = [files, machine, cpu, `${firmwareCommand};:`, emulatedCommand]
  const system = await shell.demand(questions.join(`;echo ${cut};`), call)
  const toolstack = await shell.demand(whichToolstack, call)
  const [release = '', model = '', processor = '', firmware = '', emulated = ''] = system.split(`${cut}\n`)
  const versions = `${info.get('xen_major')}.${info.get('xen_minor')}${info.get('xen_extra') ?? ''}`
  const facts: Record<string, string | null | undefined> = {
    hypervisor: `Xen ${versions}`,
    'xen version': versions,
    toolstack: toolstack.trim(),
    'xen capabilities': info.get('xen_caps'),
    'xen command line': info.get('xen_commandline'),
    'xen scheduler': info.get('xen_scheduler'),
    'host product': parseRelease(release),
    'host kernel': info.get('release'),
    'host arch': info.get('machine'),
    'host machine': onOneLine(model),
    'host firmware': onOneLine(firmware),
    'host cpu': processor.trim(),
    emulated: emulated.trim(),
    'host cpus': info.get('nr_cpus'),
    'host memory': `${info.get('total_memory') ?? '?'} MiB`,
    'host free memory': `${info.get('free_memory') ?? '?'} MiB`,
  }
  return Object.fromEntries(
    Object.entries(facts).filter((entry): entry is [string, string] => (entry[1] ?? '') !== ''),
  )
}
