/** Disks and cards of a domain's configuration: xl-disk-configuration(5), xl-network-configuration(5). */

/** One disk specification. */
export interface DiskSpec {
  /** The file or device on the host; `null` for an empty drive. */
  readonly target: string | null
  /** `xvda`, `hda`, … */
  readonly vdev: string
  readonly writable: boolean
  readonly format: string
  readonly cdrom: boolean
}

/** Reads a disk specification: positional (`TARGET,FORMAT,VDEV,ACCESS`), by key, or xm's (`file:TARGET,VDEV,w`). */
export function parseDisk(text: string): DiskSpec {
  const found: Record<string, string> = {}
  const flags = new Set<string>()
  const positional: string[] = []
  const parts = text.split(',')
  for (const [index, raw] of parts.entries()) {
    const part = raw.trim()
    const [, key, value] = /^([a-z][a-z-]*)=(.*)$/.exec(part) ?? []
    if (key === 'target') {
      // By its nature it comes last and may hold commas.
      found.target = parts.slice(index).join(',').trim().slice('target='.length)
      break
    }
    if (key !== undefined && value !== undefined) {
      found[key] = value
    } else if (part === 'cdrom' || part === 'devtype=cdrom') {
      flags.add('cdrom')
    } else {
      positional.push(part)
    }
  }
  const [first = '', ...rest] = positional
  const [, old, path] = /^(file|phy|tap2?|aio):(?:aio:)?(.*)$/.exec(first) ?? []
  const [format, vdev, access] = old === undefined ? rest : ['raw', ...rest]
  const target = found.target ?? path ?? first
  const device = (found.vdev ?? vdev ?? '').split(':')
  return {
    target: target === '' ? null : target,
    vdev: device[0] ?? '',
    writable: !/^(?:r|ro)$/.test(found.access ?? access ?? 'rw'),
    format: (found.format ?? format ?? '') || 'raw',
    cdrom: flags.has('cdrom') || found.devtype === 'cdrom' || device[1] === 'cdrom',
  }
}

/** Writes a disk specification by key. */
export function writeDisk({ target, vdev, writable, format, cdrom }: DiskSpec): string {
  const parts = [`format=${format}`, `vdev=${vdev}`, `access=${writable ? 'rw' : 'ro'}`]
  return [...parts, ...(cdrom ? ['devtype=cdrom'] : []), `target=${target ?? ''}`].join(',')
}

/** Xen's own disks that have a number of the old kind: `xvda` to `xvdp`. */
export const vdevs: readonly string[] = [...'abcdefghijklmnop'].map(letter => `xvd${letter}`)

/** The number by which Xen knows one of {@link vdevs}: block device 202, sixteen partitions each (xen-vbd-interface(7)). */
export function vdevNumber(vdev: string): number {
  return (202 << 8) | (vdevs.indexOf(vdev) << 4)
}

/** The MAC address of a card's specification, in lower case; `null` when Xen is to choose one. */
export function macOfVif(vif: string): string | null {
  return /(?:^|,)\s*mac=([0-9a-fA-F:]{17})/.exec(vif)?.[1]?.toLowerCase() ?? null
}

/** The same card with another MAC address. */
export function withMac(vif: string, mac: string): string {
  const others = vif.split(',').filter(part => part.trim() !== '' && !/^\s*mac=/.test(part))
  return [`mac=${mac}`, ...others.map(part => part.trim())].join(',')
}
