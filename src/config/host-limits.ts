/**
 * Every wait and bound of a driver for one host, by name, as `limits` of a host in `lab.yaml` may set them. Times in
 * ms, sizes in bytes. A driver that has its own experience of its hosts begins with other values.
 */
export const defaultHostLimits = {
  /** Opening a TCP connection to the host, each try. */
  tcp: 10_000,
  /** SSH key exchange with the host, each try. */
  handshake: 30_000,
  /** SSH authentication at the host, each try. */
  authentication: 30_000,
  /** The first command on a new connection to the host. */
  firstCommand: 30_000,
  /** From power-on of a host that `guestcert lab up` boots until it answers. */
  boot: 900_000,
  /** One command that changes little or nothing. */
  command: 30_000,
  /** Starting a virtual machine: from the command until it runs. */
  start: 120_000,
  /** From asking a guest to shut down until it has. */
  shutdown: 40_000,
  /** Ending a virtual machine by force, until the host says that it is off. */
  destroy: 20_000,
  /** Making, deleting or going back to one snapshot. */
  snapshot: 300_000,
  /** Moving a running guest to its second host. */
  migrate: 600_000,
  /** Making one overlay or copying one disk on the host. */
  storage: 600_000,
  /** Until a guest has let go of a device, or has the vCPUs or the memory that it was given. */
  unplug: 30_000,
  /** Fetching a console or a screenshot. */
  evidence: 30_000,
  /** How long a guest that reboots may be away, where the host makes its virtual machine anew for that. */
  restart: 120_000,
  /** How long a host may not answer before its guests count as lost. */
  silence: 60_000,
  /** Booting a guest under KVM, to see whether it does: one that takes longer gains nothing by it. */
  probe: 30_000,
  /** Between two looks at the state of a host's virtual machines. */
  watchEvery: 2_000,
  /** Between two looks at something that is about to change. */
  lookEvery: 500,
  /** Between two looks at a guest's console. */
  consoleEvery: 2_000,
  /** What is kept of a console that the runner itself writes. */
  consoleSize: 64 * 1024 * 1024,
} as const satisfies Readonly<Record<string, number>>

export type HostLimitName = keyof typeof defaultHostLimits

/** What a lab says of a host's limits; the rest is its driver's. */
export type GivenHostLimits = Readonly<Partial<Record<HostLimitName, number>>>

/** Those of connecting, which `defaults.limits` sets for hosts and guests alike. */
export const connectionLimitNames = ['tcp', 'handshake', 'authentication', 'firstCommand'] as const

/** Hosts that we boot ourselves run in software emulation, where a handshake alone may take a minute. */
export const patientLimits: GivenHostLimits = {
  tcp: 30_000,
  handshake: 120_000,
  authentication: 120_000,
  firstCommand: 120_000,
}
