import type { Cause } from '../config/errors.js'
import type { Labels } from '../config/labels.js'
import type { PlannedEnvironment, PlannedTest } from '../plan/types.js'
import type {
  Certify,
  CheckSeen,
  Evidence,
  Exit,
  HostSetAside,
  Measure,
  ParentRun,
  RunClosed,
  Verdict,
} from './events.js'

/** How many tests have each verdict. */
export type Counts = Readonly<Record<Verdict, number>>

/** How many checks ended how, as the engine counted them. */
export interface CheckCounts {
  readonly ok: number
  readonly notOk: number
  readonly todo: number
  readonly skip: number
}

/** One assertion that was seen. */
export type SeenCheck = Pick<CheckSeen, 'state' | 'text' | 'diagnostics'>

/** One try of one test. */
export interface AttemptState {
  /** Which try it is, from 1. */
  readonly attempt: number
  readonly instance: string | null
  /** UTC, ISO 8601 with ms; `null` when it never started. */
  readonly startedAt: string | null
  /** False when the journal has no end of it. */
  readonly ended: boolean
  readonly verdict: Verdict
  /** `null` on a pass, and only there. */
  readonly cause: Cause | null
  /** Why, in one line; empty on a pass. */
  readonly reason: string
  readonly durationMs: number
  readonly exit: Exit | null
  readonly counts: CheckCounts
  readonly checks: readonly SeenCheck[]
  readonly measures: Readonly<Record<string, Measure>>
  /** The step that a bring-up did not get past; `null` for one that did, and for every other test. */
  readonly step: string | null
  readonly evidence: readonly Evidence[]
  /** The end of what it wrote to standard error; empty where nothing is known of it. */
  readonly stderr: string
}

/** What became of one planned test. */
export interface TestState {
  readonly planned: PlannedTest
  readonly environment: string
  /** The last attempt's verdict; `not-run` when there was none. */
  readonly verdict: Verdict
  readonly cause: Cause | null
  readonly reason: string
  /** A pass after an attempt that was none. */
  readonly flaky: boolean
  /** True when no further attempt will follow. */
  readonly settled: boolean
  /** True when no later session of the run tries it again. */
  readonly stands: boolean
  /** The attempt whose verdict is the test's; `null` when there was none. */
  readonly decisive: AttemptState | null
  readonly attempts: readonly AttemptState[]
}

/** What happened to an instance that nobody asked for: it was moved to another host, or restarted. */
export interface UnexpectedState {
  readonly type: 'moved' | 'restarted'
  /** UTC, ISO 8601 with ms. */
  readonly at: string
  /** From where to where, or why, for people. */
  readonly text: string
}

/** One virtual machine that served an environment. */
export interface InstanceState {
  readonly id: string
  readonly host: string
  readonly attempt: number
  /** The environment whose guest it is, where it is the peer of this one's tests; else `null`. */
  readonly peer: string | null
  readonly startedAt: string
  readonly ready: {
    readonly bootIdentity: string
    readonly hostKey: string | null
    readonly factsDigest: string
    readonly facts: Readonly<Record<string, string>>
  } | null
  readonly failure: { readonly cause: Cause; readonly message: string } | null
  /** What happened to it unexpectedly, and that it outlived. */
  readonly unexpected: readonly UnexpectedState[]
  readonly ended: {
    readonly undone: readonly string[]
    readonly orphan: string | null
    readonly kept: boolean
    readonly evidence: readonly Evidence[]
  } | null
}

/** What became of one planned environment. */
export interface EnvironmentState {
  readonly planned: PlannedEnvironment
  readonly ended: boolean
  /** UTC of its first event, if it had one. */
  readonly startedAt: string | null
  /** From its first event to its last, in ms, without the time between sessions. */
  readonly durationMs: number
  readonly instances: readonly InstanceState[]
  /** Every planned test, in the plan's order. */
  readonly tests: readonly TestState[]
  readonly counts: Counts
  readonly flaky: number
}

/** One start of the runner. */
export interface SessionState {
  readonly id: string
  readonly epoch: number
  readonly runner: string
  readonly startedAt: string
}

/** What a host showed of itself when it was asked. */
export interface HostSighting {
  readonly host: string
  readonly facts: Readonly<Record<string, string>>
}

/** What a journal says about a plan: nothing that is not in it happened. */
export interface RunState {
  readonly run: string | null
  readonly lab: string
  readonly harness: string | null
  /** What whoever started it said about it. */
  readonly labels: Labels
  /** The runs that it was merged from; none when it was carried out itself. */
  readonly parents: readonly ParentRun[]
  readonly planDigest: string
  readonly openedAt: string | null
  /** UTC of its end; `null` when it was not brought there. */
  readonly closedAt: string | null
  /** `null` for a run that was not registered. */
  readonly certify: Certify | null
  /** The sessions' durations together, in ms; where they ran side by side, for a merged run, that time counts once. */
  readonly durationMs: number
  readonly sessions: readonly SessionState[]
  /** What hosts showed of themselves, in the journal's order: each session asks anew. */
  readonly hosts: readonly HostSighting[]
  /** `null` when the run was not brought to its end. */
  readonly closed: RunClosed | null
  /** Every planned environment, in the plan's order. */
  readonly environments: readonly EnvironmentState[]
  readonly counts: Counts
  readonly flaky: number
  /** Hosts that failed their health checks, in the order in which they were set aside. */
  readonly hostsSetAside: readonly Pick<HostSetAside, 'host' | 'reason'>[]
  /** Where journal and plan contradict each other, or the journal itself: bugs of ours. */
  readonly problems: readonly string[]
}
