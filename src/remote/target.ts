import type { Limits } from '../config/limits.js'
import type { Endpoint, Login } from '../config/model.js'
import type { HostKeySubject } from './host-keys/policy.js'
import type { Machine } from './machine.js'
import type { SshMachine } from './ssh-machine.js'
import type { Stillness } from './stillness.js'

/** What to connect to, as whom, and within which limits. */
export interface ConnectTarget {
  readonly endpoint: Endpoint
  readonly login: Login
  /** What messages call it: a guest, a host, an instance. */
  readonly label: string
  /** Answers `key: image` and `hostKey: image`. */
  readonly image?: { readonly keyPath?: string; readonly hostKey?: string }
  /** The machine inside whose connection the TCP stream is opened; jumps come after it. */
  readonly via?: Machine
  readonly limits: Limits
  readonly signal: AbortSignal
  /** What `accept-new` pins the machine's key under, beside its address. */
  readonly pinned?: HostKeySubject['pinned']
}

/** What is the same for all machines of a run. */
export interface ConnectOptions {
  /** Marks every process of ours on the machine: `lab/guest/run`. Letters, digits and `._/@+:-`. */
  readonly mark?: string
  /** The user's SSH configuration; `null` for none. `~/.ssh/config` if absent. */
  readonly sshConfigPath?: string | null
  /** Commands at once on one connection. OpenSSH's `MaxSessions` is 10, and stopping needs two. */
  readonly channels?: number
  /** A command that must answer with status 0 within `limits.firstCommand` before the machine counts as reached. */
  readonly firstCommand?: string
  /** Says when the machine's host holds it still, on all connections to it. Never, if absent. */
  readonly stillness?: Stillness
  /** Called when the machine itself, behind all jumps, has taken the TCP connection: now it is logged in to. */
  readonly onOpen?: () => void
  /** Makes the machine another one once it is connected, in place of the first command: one without a POSIX shell. */
  readonly become?: (machine: SshMachine, target: ConnectTarget) => Promise<Machine>
  /** Where `env:` references and `SSH_AUTH_SOCK` are looked up; the runner's own environment if absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** What `~` stands for; the runner's own home if absent. */
  readonly home?: string
}

export const defaultChannels = 8
