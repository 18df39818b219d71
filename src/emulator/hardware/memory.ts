import type { GuestPersona } from '../persona/schema.js'
import type { Hardware } from './machine.js'

/** MemTotal in bytes: what was given, less what the kernel keeps for itself. */
export function memTotalBytes(persona: GuestPersona, hardware: Hardware): number {
  const { reservedBytes, reservedPerMille } = persona.memory
  const usable = hardware.memoryBytes - reservedBytes - (hardware.memoryBytes * reservedPerMille) / 1000
  return Math.max(4096, Math.floor(usable / 4096) * 4096)
}

/** /proc/meminfo, with the lines that this kernel has. A small system that idles. */
export function meminfo(persona: GuestPersona, hardware: Hardware): string {
  const totalKb = memTotalBytes(persona, hardware) / 1024
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
