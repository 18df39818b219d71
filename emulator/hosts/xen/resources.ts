import { memoryKiB, vcpusOf } from '../domain.js'
import { nameOf, type Vm, xmlOf } from '../vm.js'
import { at } from '../xml.js'
import { cpusOf } from './list.js'
import { dom0, Ended, find, first, type Session, say, tell, type Verb } from './session.js'

const memoryWords = "<Domain> <MemMB['b'[bytes]|'k'[KB]|'m'[MB]|'g'[GB]|'t'[TB]]>"

const vcpuList: Verb = {
  flags: 'vtT',
  words: '[Domain, ...]',
  does: 'List the VCPUs for all/some domains',
  least: 0,
  run: async session => {
    const { host, words } = session
    await say(
      session,
      'Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)\n',
    )
    const running = host.hypervisor.list().filter(vm => vm.running)
    const all = [{ id: 0, vm: undefined }, ...running.map(vm => ({ id: vm.running?.id ?? 0, vm }))]
    for (const { id, vm } of words.length === 0 ? all : words.map(word => find(host, word))) {
      if (vm) await say(session, vcpuRows(nameOf(vm), id, vm))
      else if (id === 0) await say(session, dom0Rows(session))
      else {
        await tell(session, [
          `libxl: error: libxl_domain.c:1667:libxl_list_vcpu: Domain ${id}:Getting infolist: No such file or directory`,
        ])
      }
    }
    return 0
  },
}

function dom0Rows(session: Session): string {
  const seconds = Number(session.call.system.clock.uptimeNs() / 1_000_000_000n)
  const cpus = cpusOf(session.host)
  return Array.from({ length: cpus }, (_, number) =>
    row(dom0, 0, number, number === 0 ? 'r--' : '-b-', seconds),
  ).join('')
}

function vcpuRows(name: string, id: number, vm: Vm): string {
  const seconds = vm.running ? (Date.now() - vm.running.startedMs) / 1000 : 0
  const { now, most } = vcpusOf(xmlOf(vm))
  const state = vm.state === 'paused' ? '---' : '-b-'
  return Array.from({ length: most }, (_, number) => {
    const isOn = number < now
    return row(name, id, number, isOn ? state : '--p', isOn ? seconds : 0, isOn ? '0' : '-')
  }).join('')
}

function row(
  name: string,
  id: number,
  vcpu: number,
  state: string,
  seconds: number,
  cpu = String(vcpu),
): string {
  const place = `${String(id).padStart(5)} ${String(vcpu).padStart(5)} ${cpu.padStart(4)}`
  return `${name.padEnd(32)} ${place}   ${state} ${seconds.toFixed(1).padStart(9)}  all / all\n`
}

const vcpuSet: Verb = {
  flags: 'vtTf',
  words: '[option] <Domain> <vCPUs>',
  does: 'Set the number of active VCPUs allowed for the domain',
  about: "-i, --ignore-host  Don't limit the vCPU based on the host CPU count",
  options: 'i',
  long: { 'ignore-host': 'i' },
  least: 2,
  run: session => {
    const { id, vm } = first(session)
    const wanted = session.words[1] ?? ''
    if (!/^\d+$/.test(wanted)) throw new Ended(['Error: Invalid argument.'])
    const count = Number(wanted)
    if (!vm) return id === 0 ? 0 : 1
    const cpus = cpusOf(session.host)
    if (count > cpus && !session.options.has('i')) {
      throw new Ended([
        `You are overcommmitting! You have ${cpus} physical CPUs and want ${count} vCPUs! Aborting, use --ignore-host to continue`,
      ])
    }
    const refused = (why: string, error: string): Ended =>
      new Ended([
        `libxl: error: libxl_domain.c:1863:libxl_set_vcpuonline: Domain ${id}:Requested ${count} VCPUs${why}: ${error}`,
        `libxl_set_vcpuonline failed domid=${id} max_vcpus=${count}, rc: -3`,
      ])
    const { most } = vcpusOf(xmlOf(vm))
    if (count === 0) throw refused('!', 'Function not implemented')
    // How xl words this one is assumed.
    if (count > most) throw refused(`, however maximum is ${most}!`, 'Function not implemented')
    session.host.hypervisor.setVcpus(vm, count, { live: true, config: false })
    return 0
  },
}

const factors: Readonly<Record<string, number>> = { b: 1 / 1024, k: 1, m: 1024, g: 1024 ** 2, t: 1024 ** 3 }

/** A size with its unit, in KiB; MiB where there is none. */
function kibOf(size: string): number {
  const [, digits, unit = 'm'] = /^(\d+)([bkmgt]?)$/i.exec(size) ?? []
  if (digits === undefined) throw new Ended([`invalid memory size: ${size}`])
  return Math.floor(Number(digits) * (factors[(unit || 'm').toLowerCase()] ?? 1024))
}

/** mem-set and mem-max: what a domain has of its memory, and what it may have. */
function memoryVerb(
  does: string,
  which: 'dynamic' | 'static',
  action: (session: Session, vm: Vm, id: number, kib: number, size: string) => void,
): Verb {
  return {
    flags: 'vtTf',
    words: memoryWords,
    does,
    least: 2,
    run: session => {
      const { id, vm } = first(session)
      const size = session.words[1] ?? ''
      const kib = kibOf(size)
      if (vm) action(session, vm, id, kib, size)
      else if (id !== 0) {
        throw new Ended([
          `libxl: error: libxl_dom.c:1216:libxl__userdata_path: unable to find domain info for domain ${id}: Success`,
          `cannot set domid ${id} ${which} max memory to : ${size}`,
        ])
      }
      return 0
    },
  }
}

const memSet = memoryVerb(
  'Set the current memory usage for a domain',
  'dynamic',
  (session, vm, id, kib, size) => {
    if (kib > memoryKiB(xmlOf(vm))) {
      throw new Ended([
        `libxl: error: libxl_mem.c:278:libxl_set_memory_target: Domain ${id}:memory_dynamic_max must be less than or equal to memory_static_max`,
        '',
        `cannot set domid ${id} dynamic max memory to : ${size}`,
      ])
    }
    session.host.hypervisor.setMemory(vm, kib, { live: true, config: false })
  },
)

const memMax = memoryVerb(
  'Set the maximum amount reservation for a domain',
  'static',
  (_session, vm, _id, kib) => {
    const memory = at(xmlOf(vm), 'memory')
    if (!memory) return
    // The frames that a domain was made of stay as they are: a save goes through those.
    memory.attributes.made ??= String(memoryKiB(xmlOf(vm)))
    memory.attributes.unit = 'KiB'
    memory.children = [String(kib)]
  },
)

export const resourceVerbs: Readonly<Record<string, Verb>> = {
  'vcpu-list': vcpuList,
  'vcpu-set': vcpuSet,
  'mem-set': memSet,
  'mem-max': memMax,
}
