import type { Limit } from '../qemu/limit.js'

/** Every wait of this driver, by name. */
export interface XlLimits {
  /** One command that changes little or nothing. */
  readonly command: Limit
  /** Creating a domain: from the command until it runs. */
  readonly start: Limit
  /** From asking a guest to shut down until it has. */
  readonly shutdown: Limit
  /** Destroying a domain, until the host no longer has it. */
  readonly destroy: Limit
  /** Copying one disk on the host. */
  readonly storage: Limit
  /** Until a running guest's address is known. */
  readonly address: Limit
  /** Fetching a console. */
  readonly evidence: Limit
  /** How long a domain may be away between its end and its new start when it reboots. */
  readonly restart: Limit
  /** How long a host may not answer before its guests count as lost. */
  readonly silence: Limit
}

export const defaultXlLimits: XlLimits = {
  command: { name: 'xl command', ms: 60_000 },
  start: { name: 'xl create', ms: 180_000 },
  shutdown: { name: 'xl shutdown', ms: 60_000 },
  destroy: { name: 'xl destroy', ms: 60_000 },
  storage: { name: 'xl storage', ms: 600_000 },
  address: { name: 'xl address', ms: 600_000 },
  evidence: { name: 'xl evidence', ms: 60_000 },
  restart: { name: 'xl restart', ms: 120_000 },
  silence: { name: 'xl silence', ms: 120_000 },
}

/** Between two looks at the state of a host's domains, in ms: each is a command on a host that may be slow. */
export const watchEveryMs = 5_000
/** Between two looks at something that is about to change, in ms. */
export const lookEveryMs = 1_000
