import pLimit, { type LimitFunction } from 'p-limit'
import { formatDuration } from '../config/units.js'
import { deadlineSignal } from '../deadline/deadline.js'
import { unlessAborted } from '../deadline/signals.js'
import type { Check, Seen } from '../hypervisors/driver.js'
import type { Examined, Finding, Subject } from './finding.js'

export interface ExamineOptions {
  /** Checks at once. */
  readonly parallel: number
  /** The limit `check`: what one check may take, in ms. */
  readonly checkLimitMs: number
  readonly signal: AbortSignal
}

/**
 * Carries out every check, as many at once as may be, each after those that it rests on. One whose predecessor
 * is not ok is not tried, and says so. Throws the signal's reason when it aborts.
 */
export async function examine(subjects: readonly Subject[], options: ExamineOptions): Promise<Examined[]> {
  const limit = pLimit(options.parallel)
  const known = new Map<Check, Promise<Finding>>()
  const hosts = new Map(subjects.filter(({ guest }) => guest === undefined).map(one => [one.host, one]))
  const find = (subject: Subject, name: string): readonly [Subject, Check] | null => {
    for (const one of [subject, hosts.get(subject.host)]) {
      const check = one?.checks.find(known => known.name === name)
      if (one !== undefined && check !== undefined) {
        return [one, check]
      }
    }
    return null
  }
  const findingOf = (subject: Subject, check: Check): Promise<Finding> => {
    const running = known.get(check) ?? begin(subject, check)
    known.set(check, running)
    return running
  }
  const begin = async (subject: Subject, check: Check): Promise<Finding> => {
    for (const name of check.after) {
      const needed = find(subject, name)
      const before = needed === null ? null : await findingOf(...needed)
      if (before?.state !== 'ok') {
        const where = needed !== null && needed[0] !== subject ? ` of the host ${subject.host}` : ''
        return finding(check, { state: 'not-checked', seen: `"${name}"${where} is not ok` }, 0)
      }
    }
    return inTurn(check, limit, options)
  }
  const examined = await Promise.all(
    subjects.map(async subject => {
      const { checks, ...rest } = subject
      return { ...rest, findings: await Promise.all(checks.map(check => findingOf(subject, check))) }
    }),
  )
  options.signal.throwIfAborted()
  return examined
}

function inTurn(check: Check, limit: LimitFunction, options: ExamineOptions): Promise<Finding> {
  return limit(async () => {
    const startedAt = performance.now()
    const seen = await within(check, options)
    return finding(check, seen, Math.round(performance.now() - startedAt))
  })
}

/** What does not listen to its signal is not waited for. */
async function within(check: Check, { checkLimitMs, signal }: ExamineOptions): Promise<Seen> {
  const limit = deadlineSignal({ name: 'check', ms: checkLimitMs, where: check.name, signal })
  const working = check.carryOut(limit.signal).catch((error: unknown): Seen => {
    return { state: 'missing', seen: error instanceof Error ? error.message : String(error) }
  })
  try {
    return await unlessAborted(working, limit.signal)
  } catch {
    return limit.isReached()
      ? { state: 'missing', seen: `the limit "check" of ${formatDuration(checkLimitMs)} was reached` }
      : { state: 'not-checked', seen: 'it was cancelled' }
  } finally {
    limit.clear()
  }
}

function finding({ name, asked }: Check, { state, seen }: Seen, durationMs: number): Finding {
  return { check: name, state, asked: clean(asked), seen: clean(seen), durationMs }
}

const maxShownLength = 300

/** What hosts and guests say goes to terminals: one line, cut to size, without what a terminal would obey. */
function clean(text: string): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  return plain.length > maxShownLength ? `${plain.slice(0, maxShownLength)}…` : plain
}
