import type { EnvironmentState } from '../journal/state.js'
import { bootTestId, isBringUp } from '../plan/boot.js'
import type { PlannedEnvironment } from '../plan/types.js'
import { type Progress, startProgress } from './environment.js'
import type { RunSettings } from './settings.js'

/** An environment as earlier sessions of its run have left it; the journal's fold knows it. */
export type LeftEnvironment = Pick<EnvironmentState, 'ended' | 'instances' | 'tests'>

/**
 * An environment with what earlier sessions have decided: that stands. A test that was under way when the last one
 * ended was not observed, and is pending. What can be decided without a guest is said at once.
 */
export function resumeProgress(
  environment: PlannedEnvironment,
  left: LeftEnvironment,
  settings: RunSettings,
): Progress {
  const progress = startProgress(environment, settings)
  for (const { planned, attempts, verdict, cause, stands } of left.tests) {
    const tries = Math.max(0, ...attempts.map(({ attempt }) => attempt))
    if (isBringUp(planned)) {
      progress.bringUps = tries
    } else {
      progress.tries.set(planned.id, tries)
      if (stands) {
        progress.ended.set(planned.id, { verdict, ...(cause === null ? {} : { cause }) })
      }
    }
  }
  // One more may have been begun that the journal does not know of: its name and its folder are not used again.
  progress.instances = Math.max(0, ...left.instances.map(({ attempt }) => attempt)) + 1
  progress.pending = progress.pending.filter(({ id }) => !progress.ended.has(id))
  const hasBlocked = blockDecided(environment, left, progress, settings)
  if (progress.pending.length === 0 && (hasBlocked || !left.ended)) {
    settings.emit({ type: 'environment-ended', environment: environment.id })
  }
  return progress
}

/**
 * Tests whose guest has failed to come up, or whose predecessor has failed, keep the verdict that they have, or else are
 * blocked. True when the latter was said of any.
 */
function blockDecided(
  environment: PlannedEnvironment,
  left: LeftEnvironment,
  progress: Progress,
  { emit }: RunSettings,
): boolean {
  let hasBlocked = false
  const bringUp = left.tests.find(({ planned }) => isBringUp(planned))
  if (bringUp?.settled === false) {
    // Whether the guest comes up is still to be seen, whatever is blocked then.
    return false
  }
  const boot = bringUp?.stands === true ? bringUp : undefined
  for (const test of progress.pending) {
    const needed = test.after.find(id => (progress.ended.get(id)?.verdict ?? 'pass') !== 'pass')
    const blocker = boot === undefined ? needed : bootTestId
    if (blocker === undefined) {
      continue
    }
    const { verdict, cause = 'unknown' } =
      boot === undefined
        ? (progress.ended.get(blocker) ?? { verdict: 'not-run' })
        : { verdict: boot.verdict, cause: boot.cause ?? 'unknown' }
    const known = left.tests.find(({ planned }) => planned.id === test.id)
    if (known?.settled === true) {
      const { verdict: was, cause: wasFor } = known
      progress.ended.set(test.id, { verdict: was, ...(wasFor === null ? {} : { cause: wasFor }) })
      continue
    }
    progress.ended.set(test.id, { verdict: 'blocked', cause })
    hasBlocked = true
    emit({
      type: 'test-ended',
      environment: environment.id,
      test: test.id,
      attempt: (progress.tries.get(test.id) ?? 0) + 1,
      instance: null,
      verdict: 'blocked',
      cause,
      reason: `it needs ${blocker}, whose verdict is ${verdict}`,
      durationMs: 0,
      checks: { ok: 0, notOk: 0, todo: 0, skip: 0 },
      evidence: [],
      final: true,
    })
  }
  progress.pending = progress.pending.filter(({ id }) => !progress.ended.has(id))
  return hasBlocked
}

/** Whether a later session has anything to try again in an environment. */
export function isUndecided({ ended, tests }: Pick<EnvironmentState, 'ended' | 'tests'>): boolean {
  const hasFailedBoot = tests.some(({ planned, stands }) => isBringUp(planned) && stands)
  const failed = new Set(
    tests.flatMap(({ planned, stands, verdict }) => (stands && verdict !== 'pass' ? [planned.id] : [])),
  )
  const isOpen = tests.some(({ planned, stands, settled }) => {
    const isBlocked = hasFailedBoot || planned.after.some(id => failed.has(id))
    if (isBlocked && settled) {
      failed.add(planned.id)
    }
    return !isBringUp(planned) && !stands && !failed.has(planned.id)
  })
  return isOpen || !ended
}
