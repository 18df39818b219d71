import type { GuestPersona } from '../persona/schema.js'
import type { Hardware, Machine } from './machine.js'

const unitBytes: Readonly<Record<string, number>> = { K: 1024, M: 1_048_576, G: 1_073_741_824 }

function sizeBytes(text: string): number {
  const [, digits = '0', unit = ''] = /^(\d+)([KMG]?)$/.exec(text) ?? []
  return Number(digits) * (unitBytes[unit] ?? 1)
}

/** What `crashkernel=` of the command line sets aside, as the kernel reads it. In bytes. */
export function crashKernelBytes(persona: GuestPersona, hardware: Hardware): number {
  const [, wanted] = /\bcrashkernel=(\S+)/.exec(persona.kernel.cmdline) ?? []
  if (wanted === undefined) return 0
  if (!wanted.includes(':')) return sizeBytes(wanted.split('@')[0] ?? '')
  for (const range of wanted.split(',')) {
    const [, from = '', to = '', bytes = ''] = /^(\d+[KMG]?)-(\d*[KMG]?):(\d+[KMG]?)/.exec(range) ?? []
    const below = to === '' ? Number.POSITIVE_INFINITY : sizeBytes(to)
    if (hardware.memoryBytes >= sizeBytes(from) && hardware.memoryBytes < below) return sizeBytes(bytes)
  }
  return 0
}

/** MemTotal in bytes: what was given, less what the kernel keeps for itself and for a crash kernel. */
export function memTotalBytes(persona: GuestPersona, hardware: Hardware): number {
  const { reservedBytes, reservedPerMille } = persona.memory
  const kept = reservedBytes + (hardware.memoryBytes * reservedPerMille) / 1000
  const usable = hardware.memoryBytes - kept - crashKernelBytes(persona, hardware)
  return Math.max(4096, Math.floor(usable / 4096) * 4096)
}

/** MemTotal in bytes as it is now: a balloon takes whole pages out of it, and gives them back. */
export function memTotalNow(persona: GuestPersona, { hardware, live }: Machine): number {
  const ballooned = Math.floor(Math.max(0, hardware.memoryBytes - live.memoryBytes) / 4096) * 4096
  return Math.max(4096, memTotalBytes(persona, hardware) - ballooned)
}

/** /proc/iomem: where the memory is, and what is set aside in it. */
export function iomem(persona: GuestPersona, hardware: Hardware, visible: boolean): string {
  const crash = crashKernelBytes(persona, hardware)
  const end = hardware.memoryBytes
  const rows: [number, number, string][] = [
    [0x1000, 0x9fbff, 'System RAM'],
    [0xf0000, 0xfffff, 'System ROM'],
    [0x100000, end - 1, 'System RAM'],
    [0x1000000, 0x1ffffff, '  Kernel code'],
  ]
  if (crash > 0) rows.push([0x2000000, 0x2000000 + crash - 1, '  Crash kernel'])
  const address = (value: number): string => (visible ? value : 0).toString(16).padStart(8, '0')
  return rows
    .map(([from, to, what]) => `${/^ */.exec(what)?.[0]}${address(from)}-${address(to)} : ${what.trim()}\n`)
    .join('')
}

/** /proc/meminfo, with the lines that this kernel has. A small system that idles. */
export function meminfo(persona: GuestPersona, machine: Machine): string {
  const totalKb = memTotalNow(persona, machine) / 1024
  const part = (perMille: number): number => Math.floor((totalKb * perMille) / 4000) * 4
  const values: Readonly<Record<string, number>> = {
    MemTotal: totalKb,
    MemFree: part(780),
    MemAvailable: part(880),
    Buffers: part(10),
    Cached: part(110),
    SwapCached: 0,
    Active: part(70),
    Inactive: part(60),
    SwapTotal: 0,
    SwapFree: 0,
    LowTotal: totalKb,
    LowFree: part(780),
    AnonPages: part(12),
    Mapped: part(10),
    Slab: part(20),
    SReclaimable: part(12),
    SUnreclaim: part(8),
    PageTables: part(2),
    KernelStack: 1600,
    CommitLimit: part(500),
    Committed_AS: part(40),
    VmallocTotal: 34_359_738_367,
    VmallocUsed: 12_000,
    VmallocChunk: 34_359_725_000,
    Shmem: 600,
    Hugepagesize: 2048,
    DirectMap4k: part(60),
    DirectMap2M: part(930),
  }
  return persona.memory.fields
    .map(field => {
      const value = values[field] ?? 0
      const counted = /^HugePages_/.test(field)
      return `${`${field}:`.padEnd(16)}${String(value).padStart(8)}${counted ? '' : ' kB'}\n`
    })
    .join('')
}
