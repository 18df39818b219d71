/** Every wait, size and number that bounds a run, by name. Times in ms, sizes in bytes. */
export interface Limits {
  /** From start until the guest's first command answered. */
  readonly boot: number
  /** Opening a TCP connection, each try. */
  readonly tcp: number
  /** SSH key exchange, each try. */
  readonly handshake: number
  /** SSH authentication, each try. */
  readonly authentication: number
  /** How long refused log-ins are tried again at a guest that ran before the run; at others it is `boot`. */
  readonly login: number
  /** The first command on a new connection. */
  readonly firstCommand: number
  /** How long a refused channel is tried again while no other is open on the connection. */
  readonly channel: number
  /** One command, unless it names its own. */
  readonly command: number
  /** One test, unless its manifest names its own. */
  readonly test: number
  /** How many tests that say `parallel: true` run at once on one guest; fewer where its SSH server opens fewer channels. */
  readonly parallelTests: number
  /** Starting the process and the thread of a test module. */
  readonly moduleStart: number
  /** After a test module's body has returned: until its thread has ended by itself; and for ending one by force. */
  readonly moduleEnd: number
  /** Memory of the process that runs a test module. */
  readonly moduleMemory: number
  /** Everything in one environment, without the time that it waits for a host. */
  readonly environment: number
  /** The whole run, or one session of a run that is resumed: what is under way then ends and is undone. */
  readonly run: number
  /** How long an environment waits while others pass it by, before it reserves a host. */
  readonly reserve: number
  /** Asking a host how it is, after trouble on it. */
  readonly health: number
  /** One action of a host that a test asks for: a pause, a snapshot, a migration. */
  readonly hostAction: number
  /** From asking for a reboot until the guest is ready with a new boot identity. */
  readonly reboot: number
  /** Finding out, after a lost connection, what became of the guest. */
  readonly recovery: number
  /** Carrying one archive of files to a guest. */
  readonly transfer: number
  /** Waiting for the output of a command that has exited. */
  readonly drain: number
  /** Stopping a command that reached its limit, in the guest. */
  readonly stop: number
  /** Undoing each step of an environment. */
  readonly undo: number
  /** Between two SSH keepalive probes; three without an answer end a connection, unless its host holds the guest still. */
  readonly keepalive: number
  /** How long a machine's lease lasts that is not renewed, by the machine's own clock. */
  readonly lease: number
  /** Between two renewals of a lease. */
  readonly leaseRenewal: number
  /** Between two looks at a lease that somebody else has. */
  readonly leaseLook: number
  /** Waiting for a machine that somebody else uses. */
  readonly leaseWait: number
  /** Between two signs of life that a session leaves in its run's folder. */
  readonly heartbeat: number
  /** Between two lines that say what is waited for. */
  readonly notice: number
  /** One request to a service that takes a report, and the end of a reporter of one's own. */
  readonly report: number
  /** Bytes kept of one output stream of one command. */
  readonly output: number
}

export const defaultLimits: Limits = {
  boot: 600_000,
  tcp: 10_000,
  handshake: 30_000,
  authentication: 30_000,
  login: 60_000,
  firstCommand: 30_000,
  channel: 30_000,
  command: 60_000,
  test: 600_000,
  parallelTests: 4,
  moduleStart: 60_000,
  moduleEnd: 5_000,
  moduleMemory: 1024 * 1024 * 1024,
  environment: 14_400_000,
  run: 604_800_000,
  reserve: 1_800_000,
  health: 30_000,
  hostAction: 600_000,
  reboot: 600_000,
  recovery: 120_000,
  transfer: 120_000,
  drain: 2_000,
  stop: 15_000,
  undo: 60_000,
  keepalive: 15_000,
  lease: 120_000,
  leaseRenewal: 20_000,
  leaseLook: 5_000,
  leaseWait: 1_800_000,
  heartbeat: 5_000,
  notice: 60_000,
  report: 30_000,
  output: 16 * 1024 * 1024,
}

/** Those that are neither a time nor a size. */
export const limitsThatCount: ReadonlySet<string> = new Set<keyof Limits>(['parallelTests'])
