import type { GuestPersona } from '../persona/schema.js'
import type { Machine } from './machine.js'

/** A processor as it is where no host's persona says more: QEMU's own. */
const plain = {
  vendor_id: 'GenuineIntel',
  family: 6,
  model: 6,
  name: 'QEMU Virtual CPU version 2.5+',
  stepping: 3,
  mhz: 2400,
  cacheKb: 4096,
  flags: [
    'fpu',
    'de',
    'pse',
    'tsc',
    'msr',
    'pae',
    'mce',
    'cx8',
    'apic',
    'sep',
    'mtrr',
    'pge',
    'mca',
    'cmov',
    'pse36',
    'clflush',
    'mmx',
    'fxsr',
    'sse',
    'sse2',
    'syscall',
    'nx',
    'lm',
    'pni',
    'cx16',
    'lahf_lm',
  ],
  addressSizes: '40 bits physical, 48 bits virtual',
}

/** /proc/cpuinfo: a paragraph a processor that is online, with the lines that this kernel has. */
export function cpuinfo(persona: GuestPersona, machine: Machine, online: readonly number[]): string {
  const cpu = machine.host?.cpu ?? plain
  const offered = machine.host?.hypervisor.cpuFlag === false ? cpu.flags : [...cpu.flags, 'hypervisor']
  const flags = offered.filter(flag => !persona.processors.hides.includes(flag))
  const paragraph = (index: number): string => {
    const values: Readonly<Record<string, string>> = {
      processor: String(index),
      vendor_id: cpu.vendor_id,
      'cpu family': String(cpu.family),
      model: String(cpu.model),
      'model name': cpu.name,
      stepping: String(cpu.stepping),
      microcode: '0x1',
      'cpu MHz': cpu.mhz.toFixed(3),
      'cache size': `${cpu.cacheKb} KB`,
      'physical id': String(index),
      siblings: '1',
      'core id': '0',
      'cpu cores': '1',
      apicid: String(index),
      'initial apicid': String(index),
      fpu: 'yes',
      fpu_exception: 'yes',
      'cpuid level': cpu.vendor_id === 'AuthenticAMD' ? '13' : '13',
      wp: 'yes',
      flags: flags.join(' '),
      bugs: '',
      bogomips: (cpu.mhz * 2).toFixed(2),
      'clflush size': '64',
      cache_alignment: '64',
      'address sizes': cpu.addressSizes,
      'power management': '',
    }
    const lines = persona.processors.fields.map(field => line(field, values[field] ?? ''))
    return `${lines.join('\n')}\n`
  }
  return online.map(index => `${paragraph(index)}\n`).join('')
}

/** The kernel sets the colons one under another with tabs. */
function line(field: string, value: string): string {
  const tabs = field.length < 8 ? '\t\t' : '\t'
  return field === 'power management'
    ? 'power management:'
    : `${field}${field === 'cache_alignment' ? '\t' : tabs}: ${value}`
}

/** A mask of processors in the kernel's hexadecimal form. */
export function cpuMask(cpus: readonly number[]): string {
  const bits = cpus.reduce((mask, cpu) => mask | (1n << BigInt(cpu)), 0n)
  return bits.toString(16).padStart(8, '0')
}

/** A list of processors, e.g. `0-2,5`. */
export function cpuList(cpus: readonly number[]): string {
  const ranges: [first: number, last: number][] = []
  for (const cpu of cpus) {
    const range = ranges.at(-1)
    if (range && range[1] === cpu - 1) range[1] = cpu
    else ranges.push([cpu, cpu])
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',')
}
