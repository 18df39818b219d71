import type { RunState, TestState } from '../journal/state.js'
import { applyWaivers, type WaiverReport } from './apply.js'
import type { Waiver } from './schema.js'

/** The failures of a run that waivers forgive. The verdicts themselves stay as they are. */
export interface WaivedRun {
  readonly waived: ReadonlyMap<TestState, Waiver>
  /** What people must know: waivers that have expired, and those that were of no use. */
  readonly reports: readonly WaiverReport[]
}

/** Applies waivers to what a run came to. `nowMs` is the time at which they must be valid, in ms of the epoch. */
export function waiveRun(
  { environments }: Pick<RunState, 'environments'>,
  waivers: readonly Waiver[],
  nowMs: number,
): WaivedRun {
  const all = environments.flatMap(({ planned: { guest, hypervisor }, tests }) =>
    tests.map(test => ({ test, guest, hypervisor })),
  )
  const results = all.map(({ test, guest, hypervisor }) => {
    return { test: test.planned.id, verdict: test.verdict, guest, hypervisor }
  })
  const { waived, reports } = applyWaivers(results, waivers, nowMs)
  const found = [...waived].flatMap(([index, waiver]) => {
    const one = all[index]
    return one === undefined ? [] : [[one.test, waiver] as const]
  })
  return { waived: new Map(found), reports }
}
