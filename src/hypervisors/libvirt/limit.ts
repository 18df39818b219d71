import type { Limit } from '../qemu/limit.js'

/** Every wait of this driver, by name. */
export interface LibvirtLimits {
  /** One virsh command that changes little or nothing. */
  readonly command: Limit
  /** Starting a domain. */
  readonly start: Limit
  /** Making, deleting or going back to one snapshot. */
  readonly snapshot: Limit
  /** From asking a guest to shut down until it has. */
  readonly shutdown: Limit
  /** The same for a VM whose disk is not thrown away afterwards. */
  readonly shutdownLasting: Limit
  /** Destroying a domain, until the host says that it is off. */
  readonly destroy: Limit
  /** Making one overlay or copying one disk on the host. */
  readonly storage: Limit
  /** Until a running guest's address is known. */
  readonly address: Limit
  /** Until a guest has let go of a device. */
  readonly unplug: Limit
  /** Fetching a console or a screenshot. */
  readonly evidence: Limit
  /** How long a host may not answer before its guests count as lost. */
  readonly silence: Limit
}

export const defaultLibvirtLimits: LibvirtLimits = {
  command: { name: 'libvirt command', ms: 30_000 },
  start: { name: 'libvirt start', ms: 120_000 },
  snapshot: { name: 'libvirt snapshot', ms: 300_000 },
  shutdown: { name: 'libvirt shutdown', ms: 30_000 },
  shutdownLasting: { name: 'libvirt shutdown', ms: 40_000 },
  destroy: { name: 'libvirt destroy', ms: 20_000 },
  storage: { name: 'libvirt storage', ms: 600_000 },
  address: { name: 'libvirt address', ms: 600_000 },
  unplug: { name: 'libvirt unplug', ms: 30_000 },
  evidence: { name: 'libvirt evidence', ms: 30_000 },
  silence: { name: 'libvirt silence', ms: 60_000 },
}

/** Between two looks at the state of a host's domains, in ms. */
export const watchEveryMs = 2_000
/** Between two looks at something that is about to change, in ms. */
export const lookEveryMs = 500
