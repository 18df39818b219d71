import type { Cause } from '../config/errors.js'
import type { Labels } from '../config/labels.js'

/** The version of the journal's format; a reader refuses any other. */
export const journalVersion = 1

/** What became of a test. */
export type Verdict = 'pass' | 'fail' | 'error' | 'skip' | 'blocked' | 'not-run'

/** How a command on a guest ended. `lost` means that no exit status was received: never success. */
export type Exit =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'lost' }
  /** Something was said of the end that proves none: two ends, or output without our last line. */
  | { readonly kind: 'unproven'; readonly why: string }
  | { readonly kind: 'limit'; readonly limit: string; readonly limitMs: number }

/** A file that a run left; `path` is relative to the run's folder, with `/`. */
export interface Evidence {
  readonly path: string
  readonly sha256: string
  readonly bytes: number
  /** Bytes that the size limit cut off, if any. */
  readonly cutBytes?: number
}

/** A number that a test measured, with its unit. */
export interface Measure {
  readonly value: number
  readonly unit: string
}

/** How one assertion ended. `todo` and `skip` points never count as held. */
export type CheckState = 'ok' | 'not-ok' | 'todo' | 'skip'

/** A run that another one was merged from. */
export interface ParentRun {
  readonly run: string
  readonly planDigest: string
  /** SHA-256 of its journal. */
  readonly journal: string
  /** Which part of the plan it carried out: `2/5`. */
  readonly shard: string
}

export interface RunOpened {
  readonly type: 'run-opened'
  readonly run: string
  readonly planDigest: string
  readonly expected: number
  readonly lab: string
  readonly harness: string
  readonly waiversDigest: string | null
  /** What whoever started it said about it; absent when that was nothing. */
  readonly labels?: Labels
  /** The runs that it was merged from; absent when it was carried out itself. */
  readonly parents?: readonly ParentRun[]
  /** Present in a run that was registered before it began. */
  readonly certify?: Certify
}

/** What a registered run is bound to. */
export interface Certify {
  /** The leaf hash of its registration in a record's log, in hex: the run's name ends in its first digits. */
  readonly registration: string
  /** SHA-256 over the program that carries it out. */
  readonly harnessDigest: string
}

export interface SessionStarted {
  readonly type: 'session-started'
  readonly session: string
  readonly epoch: number
  /** The host name of the runner. */
  readonly runner: string
}

/** What a host showed of itself, asked for once a run, before the first of its guests counts as up. */
export interface HostObserved {
  readonly type: 'host-observed'
  readonly host: string
  readonly facts: Readonly<Record<string, string>>
}

export interface InstanceStarted {
  readonly type: 'instance-started'
  readonly environment: string
  readonly instance: string
  readonly host: string
  readonly attempt: number
  /** The environment whose guest it is, where it is the peer of this one's tests. */
  readonly peer?: string
}

export interface InstanceReady {
  readonly type: 'instance-ready'
  readonly instance: string
  readonly environment: string
  readonly bootIdentity: string
  readonly hostKey: string | null
  readonly factsDigest: string
  readonly facts: Readonly<Record<string, string>>
}

/** An instance that could not be brought to readiness; its environment may get another. */
export interface InstanceFailed {
  readonly type: 'instance-failed'
  readonly instance: string
  readonly environment: string
  readonly cause: Cause
  readonly message: string
}

/** A running instance was moved to another host, and nobody of this run asked for it. */
export interface InstanceMoved {
  readonly type: 'instance-moved'
  readonly environment: string
  readonly instance: string
  readonly from: string
  readonly to: string
}

/** A running instance was ended and started again, and nobody of this run asked for it. */
export interface InstanceRestarted {
  readonly type: 'instance-restarted'
  readonly environment: string
  readonly instance: string
  /** Whose doing it was; `unknown` where the host cannot tell it from a reboot of the guest. */
  readonly cause: Cause
  readonly reason: string
}

/** Somebody else uses the host, or the guest that runs already: the instance waits for it. */
export interface LeaseAwaited {
  readonly type: 'lease-awaited'
  readonly environment: string
  readonly instance: string
  /** The host, or the guest, that is waited for. */
  readonly machine: string
  /** Who has it, for people. */
  readonly owner: string
  readonly limitMs: number
}

/** The host, or the guest that runs already, is ours until it is given back. */
export interface LeaseTaken {
  readonly type: 'lease-taken'
  readonly environment: string
  readonly instance: string
  readonly machine: string
  /** The fencing token: it only rises. */
  readonly token: number
}

/** Something takes its time: said as soon as it shows, and again as long as it lasts. */
export interface Waiting {
  readonly type: 'waiting'
  readonly environment: string
  /** What is waited for, and what the last look at it showed, for people. */
  readonly what: string
  /** UTC, ISO 8601 with ms. */
  readonly since: string
  /** When it is given up, and by which limit; absent where nothing but the end of the run ends it. */
  readonly until?: string
  readonly limit?: string
}

export interface TestStarted {
  readonly type: 'test-started'
  readonly environment: string
  readonly test: string
  readonly attempt: number
  readonly instance: string
}

export interface CheckSeen {
  readonly type: 'check'
  readonly environment: string
  readonly test: string
  readonly attempt: number
  readonly state: CheckState
  readonly text: string
  readonly diagnostics?: string
}

export interface TestEnded {
  readonly type: 'test-ended'
  readonly environment: string
  readonly test: string
  readonly attempt: number
  /** `null` when no instance could be had for it. */
  readonly instance: string | null
  readonly verdict: Verdict
  /** Absent on a pass, and only there. */
  readonly cause?: Cause
  /** Why, in one line; empty on a pass. */
  readonly reason: string
  readonly durationMs: number
  readonly exit?: Exit
  readonly checks: {
    readonly ok: number
    readonly notOk: number
    readonly todo: number
    readonly skip: number
  }
  readonly measures?: Readonly<Record<string, Measure>>
  /** The step that a bring-up did not get past. */
  readonly step?: string
  readonly evidence: readonly Evidence[]
  /** The end of what it wrote to standard error; of an attempt that failed or could not be carried out. */
  readonly stderr?: string
  /** False when another attempt will follow. */
  readonly final: boolean
}

export interface InstanceEnded {
  readonly type: 'instance-ended'
  readonly environment: string
  readonly instance: string
  /** The steps that were undone, in order. */
  readonly undone: readonly string[]
  /** What could not be undone and remains on the host. */
  readonly orphan: string | null
  readonly kept: boolean
  readonly evidence: readonly Evidence[]
}

/** A host that failed its health checks: it serves nothing more in this run. */
export interface HostSetAside {
  readonly type: 'host-set-aside'
  readonly host: string
  /** Failed health checks in a row. */
  readonly failures: number
  readonly reason: string
}

/** An environment that goes on, on another host of its pairing. */
export interface EnvironmentMoved {
  readonly type: 'environment-moved'
  readonly environment: string
  readonly from: string
  readonly to: string
  readonly reason: string
}

export interface EnvironmentEnded {
  readonly type: 'environment-ended'
  readonly environment: string
}

export interface RunClosed {
  readonly type: 'run-closed'
  readonly counts: Readonly<Record<Verdict, number>>
  readonly flaky: number
  readonly exitCode: number
  readonly interrupted: boolean
  /** Why it ended before its plan, where nobody interrupted it, in words. */
  readonly endedEarly?: string
}

/** Everything a journal can say. */
export type EventBody =
  | RunOpened
  | SessionStarted
  | HostObserved
  | InstanceStarted
  | InstanceReady
  | InstanceFailed
  | InstanceMoved
  | InstanceRestarted
  | LeaseAwaited
  | LeaseTaken
  | Waiting
  | TestStarted
  | CheckSeen
  | TestEnded
  | InstanceEnded
  | HostSetAside
  | EnvironmentMoved
  | EnvironmentEnded
  | RunClosed

/** What every line carries: `at` is UTC in ISO 8601 with ms, `ms` is monotonic since the session's start. */
export interface EventStamp {
  readonly v: number
  readonly seq: number
  readonly epoch: number
  readonly at: string
  readonly ms: number
}

/** One line of a journal. */
export type JournalEvent = EventStamp & EventBody
