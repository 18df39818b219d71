import type { Cause } from '../config/errors.js'
import { deadlineSignal } from '../deadline/deadline.js'
import type { TestEnded } from '../journal/events.js'
import { bootTestId, isBringUp } from '../plan/boot.js'
import type { PlannedEnvironment, PlannedTest } from '../plan/types.js'
import { BootAttempt } from './boot.js'
import { describeTrouble, isRetryable, type Trouble } from './cause.js'
import type { HostFacts } from './host-facts.js'
import type { HostHealth } from './host-health.js'
import { serveInstance } from './instance.js'
import type { RunSettings } from './settings.js'

/** What an environment still has to do, and what it has learnt. */
export interface Progress {
  /** Tests without a final verdict, in the plan's order. */
  pending: PlannedTest[]
  /** Tries of each test so far. */
  readonly tries: Map<string, number>
  /** Final verdicts, by test. */
  readonly ended: Map<string, { verdict: TestEnded['verdict']; cause?: Cause }>
  /** Tests that were begun and have not ended. */
  readonly inFlight: Set<string>
  /** New instances that may still be taken for trouble that is not the guest's. */
  retriesLeft: number
  /** Instances so far. */
  instances: number
  /** Attempts to bring a guest up so far, those for which no host was left with them. */
  bringUps: number
  /** The bring-up that is under way, or that failed and has no verdict yet. */
  boot: BootAttempt | null
  /** What of the environment's limit is left: waiting for a host does not count. */
  leftMs: number
  /** Trouble of host or network that a test ended with for good: the host is asked how it is. */
  doubt: Trouble | null
}

/** An environment's stay on one host. */
export interface Stay {
  readonly environment: PlannedEnvironment
  readonly host: string
  readonly progress: Progress
  readonly health: HostHealth
  readonly hosts: HostFacts
  readonly settings: RunSettings
}

/** An environment that has done nothing yet. */
export function startProgress(environment: PlannedEnvironment, { retries, plan }: RunSettings): Progress {
  return {
    pending: environment.tests.filter(test => !isBringUp(test)),
    tries: new Map(),
    ended: new Map(),
    inFlight: new Set(),
    retriesLeft: retries,
    instances: 0,
    bringUps: 0,
    boot: null,
    leftMs: plan.limits.environment,
    doubt: null,
  }
}

/**
 * Takes an environment as far as it comes on one host. Resolves to `null` when it has ended, or to the
 * trouble for which it goes on elsewhere. Never throws for trouble: it says it.
 */
export async function serveEnvironment(stay: Stay): Promise<Trouble | null> {
  const { environment, progress, settings } = stay
  const { signal, clear } = deadlineSignal({
    name: 'environment',
    ms: progress.leftMs,
    where: environment.id,
    signal: settings.stop,
    ...(settings.expired === undefined ? {} : { also: settings.expired }),
  })
  const startedAt = performance.now()
  try {
    // Not raced against the limit: what was started is undone before the environment counts as ended.
    const trouble = await serveInstances({ ...stay, settings: { ...settings, stop: signal } })
    if (trouble !== null) {
      progress.leftMs = Math.max(1, progress.leftMs - (performance.now() - startedAt))
      return trouble
    }
  } catch (error) {
    if (!settings.stop.aborted) {
      endPending(environment, progress, describeTrouble(error), settings)
    }
  } finally {
    clear()
  }
  settings.emit({ type: 'environment-ended', environment: environment.id })
  return null
}

/** Ends an environment that no host serves any more. */
export function endEnvironment(
  environment: PlannedEnvironment,
  progress: Progress,
  trouble: Trouble,
  settings: RunSettings,
): void {
  endUnserved(environment, progress, trouble, settings)
  settings.emit({ type: 'environment-ended', environment: environment.id })
}

async function serveInstances({
  environment,
  host,
  progress,
  health,
  hosts,
  settings,
}: Stay): Promise<Trouble | null> {
  const { stop, drain } = settings
  while (progress.pending.length > 0 && !drain.aborted) {
    stop.throwIfAborted()
    progress.instances += 1
    progress.doubt = null
    const number = progress.instances
    const ended = await serveInstance({ environment, host, number, progress, hosts, settings })
    stop.throwIfAborted()
    const doubted = ended ?? progress.doubt
    if (doubted === null) {
      health.worked(host)
      continue
    }
    const trouble = await health.examine(host, doubted)
    if (progress.pending.length === 0) {
      break
    }
    const others = health.serving(environment.hosts.filter(other => other !== host))
    // Nobody can stay on a host that is set aside: to leave it costs no retry.
    const mustLeave = health.whyAside(host) !== null
    if (mustLeave && others.length > 0) {
      failBoot(progress, trouble, false)
      return trouble
    }
    if (mustLeave) {
      endUnserved(environment, progress, health.noneLeft(environment.hosts), settings)
      break
    }
    if (ended === null) {
      continue
    }
    if (!isRetryable(trouble) || progress.retriesLeft === 0) {
      endPending(environment, progress, trouble, settings)
      break
    }
    progress.retriesLeft -= 1
    failBoot(progress, trouble, false)
    if (trouble.cause === 'host' && others.length > 0) {
      return trouble
    }
  }
  return null
}

/** Says what became of a bring-up that failed. Returns false when there was none. */
function failBoot(progress: Progress, trouble: Trouble, final: boolean): boolean {
  const { boot } = progress
  progress.boot = null
  boot?.failed(trouble, final)
  return boot !== null
}

/** No host is left, so no guest was brought up, whatever was before. */
function endUnserved(
  environment: PlannedEnvironment,
  progress: Progress,
  trouble: Trouble,
  settings: RunSettings,
): void {
  if (progress.boot === null) {
    progress.bringUps += 1
    const bringing = { environment: environment.id, attempt: progress.bringUps, instance: null }
    progress.boot = new BootAttempt(bringing, settings)
  }
  endPending(environment, progress, trouble, settings)
}

/**
 * The environment can go no further: a bring-up that failed has the verdict, else the test whose turn it was, with
 * those that ran beside it; what is behind it is blocked by it.
 */
function endPending(
  environment: PlannedEnvironment,
  progress: Progress,
  trouble: Trouble,
  { emit }: RunSettings,
): void {
  const hasBooted = !failBoot(progress, trouble, true)
  const [first, ...others] = progress.pending
  progress.pending = []
  const common = { type: 'test-ended', environment: environment.id, instance: null, durationMs: 0 } as const
  const nothing = { checks: { ok: 0, notOk: 0, todo: 0, skip: 0 }, evidence: [], final: true } as const
  const blocker = hasBooted ? first?.id : bootTestId
  for (const test of first === undefined ? [] : [first, ...others]) {
    const isBlocked = test.id !== blocker && !progress.inFlight.has(test.id)
    emit({
      ...common,
      test: test.id,
      attempt: (progress.tries.get(test.id) ?? 0) + 1,
      verdict: isBlocked ? 'blocked' : 'error',
      cause: trouble.cause,
      reason: isBlocked ? `no guest was left to run it on: see ${blocker}` : trouble.message,
      ...nothing,
    })
  }
}
