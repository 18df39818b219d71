import { InfraError } from '../config/errors.js'
import type { TestEnded } from '../journal/events.js'
import { bootTestId } from '../plan/boot.js'
import type { PlannedEnvironment } from '../plan/types.js'
import type { FoundTrouble } from '../results/observed.js'
import { BootAttempt } from './boot.js'
import type { Progress } from './environment.js'
import type { RunSettings } from './settings.js'

/** The instance of an environment that was up, and was lost before the first line of its first test had run. */
export interface LostInstance {
  readonly environment: PlannedEnvironment
  readonly instance: string
  readonly progress: Progress
  readonly settings: RunSettings
}

/**
 * Opens a further bring-up of the instance, which has failed: what was lost before any test had begun is no test's
 * fault. Returns the trouble that ends the instance.
 */
export function reopenBringUp(
  { cause, message }: FoundTrouble,
  { environment, instance, progress, settings }: LostInstance,
): InfraError {
  progress.bringUps += 1
  const boot = new BootAttempt(
    { environment: environment.id, attempt: progress.bringUps, instance },
    settings,
  )
  boot.start()
  if (cause === 'guest') {
    boot.blameGuest()
  }
  progress.boot = boot
  return new InfraError(`before any test had begun: ${message}`, {
    cause: cause === 'test' ? 'unknown' : cause,
    where: instance,
    code: 'lost',
  })
}

/** What the attempt of a test comes to of which nothing had begun when its guest was lost. */
export function unbegun({
  cause,
}: FoundTrouble): Pick<
  TestEnded,
  'verdict' | 'cause' | 'reason' | 'durationMs' | 'checks' | 'evidence' | 'final'
> {
  return {
    verdict: 'blocked',
    cause,
    reason: `the guest was lost before it had begun: see ${bootTestId}`,
    durationMs: 0,
    checks: { ok: 0, notOk: 0, todo: 0, skip: 0 },
    evidence: [],
    final: false,
  }
}
