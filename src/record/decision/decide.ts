import { parseMomentMs } from '../../config/moment.js'
import { corners } from '../policy/match.js'
import { runReasons } from './run-reasons.js'
import { testReasons } from './test-reasons.js'
import type { Case, Decision, DecisionInput, Reason } from './types.js'

const dayMs = 86_400_000

/**
 * What a policy says of runs of one of its pairings, at a time. It certifies when nothing stands against it; every thing
 * that does is a reason of its own.
 */
export function decide(input: DecisionInput): Decision {
  const { cases, policy, nowMs } = input
  const tested = cases.map(one => testReasons(one, input))
  const reasons: Reason[] = [
    ...(cases.length === 0 ? [{ code: 'no-run', text: 'there is no run of this pairing' }] : []),
    ...cases.flatMap(one => [...runReasons(one, input), ...rowReasons(one, input)]),
    ...tested.flatMap(found => found.reasons),
    ...cornerReasons(input),
  ]
  const isReproduced = cases.length > 0 && cases.every(({ reproducedBy }) => reproducedBy.length > 0)
  if (policy.reproduction === 'required' && !isReproduced && cases.length > 0) {
    const text = 'no other party has rerun a sample that was chosen after submission, or run it itself'
    reasons.push({ code: 'not-reproduced', text })
  }
  const certifies = reasons.length === 0
  const waived = tested.flatMap(found => found.waived)
  return {
    certifies,
    level: certifies ? (isReproduced ? 'certified' : 'self-attested') : null,
    reasons: distinct(reasons),
    notes: distinct(tested.flatMap(found => found.notes)),
    waived,
    validUntil: certifies ? new Date(endMs(waived, nowMs + policy.validDays * dayMs)).toISOString() : null,
  }
}

/** Nothing is certified for longer than what it is forgiven. */
function endMs(waived: Decision['waived'], mostMs: number): number {
  return Math.min(mostMs, ...waived.map(({ expires }) => parseMomentMs(expires) ?? 0))
}

/** The last registered runs of the pairing have all passed: one that was never added is none. */
function rowReasons({ row, registration }: Case, { policy }: DecisionInput): Reason[] {
  if (registration === null) return []
  const last = row.slice(-policy.row)
  const passed = last.filter(item => item === 'passed').length
  if (passed === policy.row) return []
  const open = last.filter(item => item === 'open').length
  const hint = open === 0 ? '' : `, ${open} never added`
  return [
    {
      code: 'row',
      text: `${policy.row} registered runs in a row must have passed: of the last ${last.length} ${passed} did${hint}`,
    },
  ]
}

/** A range was passed at its least and at its most. */
function cornerReasons({ cases, pairing }: DecisionInput): Reason[] {
  return corners(pairing).flatMap(({ key, value }) =>
    cases.length === 0 || cases.some(({ run }) => run.pairing.configuration[key] === value)
      ? []
      : [{ code: 'range', text: `no run has ${key} ${value}, an end of the policy’s range` }],
  )
}

function distinct(reasons: readonly Reason[]): Reason[] {
  return [...new Map(reasons.map(reason => [`${reason.code} ${reason.text}`, reason])).values()]
}
