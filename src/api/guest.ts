import type { Duration } from './duration.js'

/**
 * How a command on the guest ended. `lost` means that no exit status was received, `unproven` that what was received
 * contradicts itself or lacks the proof that the output is whole: neither is ever success.
 */
export type CommandEnd =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'lost' }
  | { readonly kind: 'unproven'; readonly why: string }
  | { readonly kind: 'limit'; readonly limit: string; readonly limitMs: number }

/** What became of one command. */
export interface CommandOutcome {
  readonly end: CommandEnd
  /** True when exit status 0 was observed, and at no other time. */
  readonly succeeded: boolean
  readonly stdout: string
  readonly stderr: string
  /** True when more was printed than was kept: then nothing may be concluded from the end of the output. */
  readonly truncated: boolean
  /** From request to end, in ms. */
  readonly durationMs: number
}

export interface CommandOptions {
  /** Ends the command after this time; the lab's limit for commands if absent. */
  readonly limit?: Duration
  /** Written to standard input, which is empty otherwise. */
  readonly stdin?: string
}

/** A reboot that was proven: a changed boot identity, and an uptime smaller than the time since the request. */
export interface Reboot {
  readonly before: string
  readonly after: string
  /** How long the guest says that it runs, when it answered again. */
  readonly uptimeSec: number
  /** From the request until the guest was ready again. */
  readonly tookMs: number
}

/** What was seen around a lost connection that had been announced. */
export interface Reconnection {
  readonly bootIdentityBefore: string
  readonly bootIdentityAfter: string
  /** From the start of the action until the guest was ready again. */
  readonly tookMs: number
}

/** How far the guest's wall clock is from the runner's. */
export interface ClockOffset {
  /** Guest minus runner; positive when the guest is ahead. */
  readonly ms: number
  /** Half of the round trip of the best of several readings, and the clock's own resolution. */
  readonly uncertaintyMs: number
  /** The clock's drift since an earlier reading, in parts per million. */
  ppmSince(before: ClockOffset): number
  /** How much of {@link ppmSince} may be due to the uncertainty of both readings. */
  ppmUncertaintySince(before: ClockOffset): number
}

/**
 * The guest under test. Every call throws when the guest cannot be reached: a test lets that pass, and the engine
 * finds out whose fault it is.
 */
export interface Guest {
  /** What the guest said of itself when it had become ready. It is not trusted. */
  readonly facts: Readonly<Record<string, string>>
  /** Runs a command line in the guest's shell, with the environment that scripts have. Never throws for a status. */
  run(command: string, options?: CommandOptions): Promise<CommandOutcome>
  /** The text of a file on the guest; throws when it cannot be read whole. */
  readFile(path: string): Promise<string>
  /** A file's bytes; throws when it cannot be read whole. */
  readBytes(path: string): Promise<Uint8Array>
  /** Writes a file, over what is there; throws when not all of it was written. Text is written as UTF-8. */
  writeFile(path: string, content: string | Uint8Array): Promise<void>
  /** A folder on the guest that is this test's own, made by the first call, and removed when the test has ended. */
  scratch(): Promise<string>
  /** What changes with every boot and at no other time. */
  bootIdentity(): Promise<string>
  /** Reboots the guest and waits until it is ready; throws when the reboot is not proven within its limit. */
  reboot(): Promise<Reboot>
  /**
   * Carries out an action that costs the connection, and waits until the guest is ready again. A connection that is
   * lost at any other time is trouble. Throws when the guest is not back within the time.
   */
  expectDisconnect(
    action: () => Promise<unknown>,
    options: { readonly within: Duration },
  ): Promise<Reconnection>
  /** Compares the guest's wall clock with the runner's. */
  clockOffset(): Promise<ClockOffset>
}
