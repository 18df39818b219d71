import type { Configuration } from '../../config/model.js'
import { type DomainConfig, UnknownConfig } from './config.js'
import { parseDisk } from './disks.js'

/** How the guest is virtualized, as xl.cfg(5) says it; `builder` is what xl before 4.10 and xm know. */
export function modeOf(config: DomainConfig): 'pv' | 'hvm' | 'pvh' {
  const type = config.get('type')
  if (type === 'pv' || type === 'hvm' || type === 'pvh') {
    return type
  }
  return config.get('builder') === 'hvm' ? 'hvm' : config.get('pvh') === 1 ? 'pvh' : 'pv'
}

/** The memory that a domain gets, in MiB. */
export function memoryMiBOf(config: DomainConfig): number {
  return Number(config.get('memory') ?? config.get('maxmem') ?? 4)
}

/** The virtual CPUs that a domain gets. */
export function vcpusOf(config: DomainConfig): number {
  return Number(config.get('vcpus') ?? config.get('maxvcpus') ?? 1)
}

/** The most virtual CPUs that a domain can get while it runs. */
export function maxVcpusOf(config: DomainConfig): number {
  return Number(config.get('maxvcpus') ?? config.get('vcpus') ?? 1)
}

/** The model of the first disk: Xen's own for `xvda`, what HVM guests emulate for `hda` and `sda`. */
export function diskModelOf(config: DomainConfig): string | undefined {
  const disks = config.get('disk')
  if (typeof disks !== 'object') {
    return undefined
  }
  const vdev = disks.map(parseDisk).find(({ cdrom }) => !cdrom)?.vdev ?? ''
  const models: readonly (readonly [string, string])[] = [
    ['xvd', 'xen-blk'],
    ['hd', 'ide'],
    ['sd', 'scsi'],
  ]
  return models.find(([prefix]) => vdev.startsWith(prefix))?.[1]
}

/** How a VM differs from the configuration that the lab declares for it: what is certified must be what ran. */
export function differences(config: DomainConfig, declared: Configuration): string[] {
  const found: string[] = []
  const compare = (what: string, wanted: string | number | undefined, real: string | number): void => {
    if (wanted !== undefined && wanted !== real) {
      found.push(`${what} is ${real}, not ${wanted}`)
    }
  }
  compare('mode', declared.mode, modeOf(config))
  compare('vcpus', declared.vcpus, vcpusOf(config))
  compare(
    'memory in MiB',
    declared.memoryBytes === undefined ? undefined : declared.memoryBytes / 2 ** 20,
    memoryMiBOf(config),
  )
  const disk = diskModelOf(config)
  if (disk !== undefined) {
    compare('disk', declared.disk, disk)
  }
  if (modeOf(config) === 'hvm') {
    compare('firmware', declared.firmware, config.get('bios') === 'ovmf' ? 'uefi' : 'bios')
  } else if (declared.firmware !== undefined) {
    found.push(`a ${modeOf(config)} guest has no firmware, not ${declared.firmware}`)
  }
  return found
}

/** Reads a VM's configuration, and says whose it was when it cannot be read. */
export function understood<T>(work: () => T, refused: (why: string) => Error): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof UnknownConfig ? refused(error.message) : error
  }
}
