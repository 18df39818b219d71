import { bytesOfUnit, vcpusOf } from '../domain.js'
import { Trouble } from '../trouble.js'
import { type Vm, xmlOf } from '../vm.js'
import type { OptionRule } from './parse.js'
import { affectedOf, scopeOptions } from './scope.js'
import { attempt, type Command, domainOf, Failed, type Session } from './session.js'

const domain: OptionRule = { name: 'domain', kind: 'required' }

const setvcpus: Command = {
  options: [
    domain,
    { name: 'count', kind: 'required' },
    { name: 'maximum', kind: 'flag', since: '0.8.5' },
    ...scopeOptions('0.8.5'),
    { name: 'guest', kind: 'flag', since: '1.1.0' },
    { name: 'hotpluggable', kind: 'flag', since: '2.4.0' },
  ],
  run: async session => {
    const vm = domainOf(session)
    const { given, hypervisor, generation } = session
    const count = Number(given.need('count'))
    if (!Number.isInteger(count) || count < 1) {
      const said = given.need('count')
      throw new Failed([
        generation.has('1.2.9')
          ? `Numeric value '${said}' for <count> option is malformed or out of range`
          : 'Invalid number of virtual CPUs.',
      ])
    }
    await attempt(session, undefined, () => {
      if (given.has('maximum')) return setMaximum(session, vm, count)
      if (!generation.has('0.8.5')) return setOld(session, vm, count)
      hypervisor.setVcpus(vm, count, affectedOf(session, vm))
    })
    return ''
  },
}

/** Only the machine that will be started next can be given another maximum. */
function setMaximum({ given }: Session, vm: Vm, count: number): void {
  if (!given.has('config') || given.has('live')) {
    throw new Trouble('argument', 'setting maximum vcpus of a live domain is not supported')
  }
  const vcpu = vm.persistent?.children.find(child => typeof child === 'object' && child.name === 'vcpu')
  if (typeof vcpu !== 'object') return
  if (Number(vcpu.attributes.current ?? 0) >= count) delete vcpu.attributes.current
  vcpu.children = [String(count)]
}

/** Before domains had a maximum of their own, what they were started with was one; QEMU could not change it. */
function setOld({ hypervisor, isXen }: Session, vm: Vm, count: number): void {
  if (count > vcpusOf(xmlOf(vm)).most) throw new Failed(["Too many virtual CPU's."])
  if (vm.running && !isXen) throw new Trouble('unsupported', 'cannot change vcpu count of this domain')
  hypervisor.setVcpus(vm, count, { live: vm.running !== undefined, config: vm.running === undefined })
}

const setmem: Command = {
  options: [domain, { name: 'size', kind: 'required' }, ...scopeOptions('0.9.0')],
  run: async session => {
    const vm = domainOf(session)
    const { hypervisor, given } = session
    const kib = kibOf(session, given.need('size'))
    await attempt(session, undefined, () => hypervisor.setMemory(vm, kib, affectedOf(session, vm)))
    return ''
  },
}

/** Sizes are counted in KiB; since 0.9.12 they may say another unit. */
function kibOf({ generation }: Session, said: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([A-Za-z]*)$/.exec(said) ?? []
  const bytes = unit === '' ? 1024 : generation.has('0.9.12') ? bytesOfUnit(unit) : undefined
  if (digits === '' || Number(digits) === 0 || bytes === undefined) {
    throw new Failed([
      generation.has('1.2.9')
        ? `Scaled numeric value '${said}' for <--size> option is malformed or out of range`
        : 'Invalid value for memory size',
    ])
  }
  return Math.ceil((Number(digits) * bytes) / 1024)
}

const vcpucount: Command = {
  since: '0.8.5',
  options: [
    domain,
    { name: 'maximum', kind: 'flag' },
    { name: 'active', kind: 'flag', since: '0.9.13' },
    ...scopeOptions('0.8.5'),
    { name: 'guest', kind: 'flag', since: '1.1.0' },
  ],
  run: session => {
    const vm = domainOf(session)
    const { given } = session
    const asksOne = given.has('maximum') || given.has('active') || given.has('live') || given.has('config')
    if (asksOne) {
      const { config } = affectedOf(session, vm)
      const xml = config && !given.has('live') ? vm.persistent : vm.running?.xml
      if (!xml) throw new Failed(['Requested operation is not valid: domain is not running'])
      const { now, most } = vcpusOf(xml)
      return `${given.has('maximum') ? most : now}\n`
    }
    const row = (which: string, scope: string, count: number): string =>
      `${which.padEnd(12)} ${scope.padEnd(12)} ${String(count).padStart(3)}\n`
    const known = [
      ['config', vm.persistent],
      ['live', vm.running?.xml],
    ] as const
    const rows = (['most', 'now'] as const).flatMap(which =>
      known.map(([scope, xml]) =>
        xml ? row(which === 'most' ? 'maximum' : 'current', scope, vcpusOf(xml)[which]) : '',
      ),
    )
    return rows.join('')
  },
}

/** Commands about processors and memory. */
export const resourceCommands: Readonly<Record<string, Command>> = { setvcpus, setmem, vcpucount }
