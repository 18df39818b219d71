import { defaultLimits } from '../src/config/limits.js'
import { Admission } from '../src/engine/admission.js'
import { type CapacityLab, generateLab, type LabShape, lowerBoundMs } from './capacity-lab.js'

const seeds = 20

const shapes: readonly (readonly [name: string, shape: LabShape])[] = [
  ['guests only, 2,000 on 100 hosts', { environments: 2000, hosts: 100, pairings: 5, dimensions: 'guests' }],
  ['guests only, 200 on 10 hosts', { environments: 200, hosts: 10, pairings: 2, dimensions: 'guests' }],
  ['mixed, 2,000 on 100 hosts', { environments: 2000, hosts: 100, pairings: 5, dimensions: 'mixed' }],
  ['mixed, 200 on 10 hosts', { environments: 200, hosts: 10, pairings: 2, dimensions: 'mixed' }],
]

/**
 * How long generated labs take, by simulation with the engine's own admission and a virtual clock, as a
 * multiple of what no schedule can undercut; and how long all decisions of a run take together.
 */
export function benchCapacity(print: (line: string) => void): void {
  for (const [name, shape] of shapes) {
    const ratios: number[] = []
    const spentMs: number[] = []
    for (let seed = 1; seed <= seeds; seed += 1) {
      const lab = generateLab(seed, shape)
      const started = performance.now()
      const makespanMs = simulate(lab)
      spentMs.push(performance.now() - started)
      ratios.push(makespanMs / lowerBoundMs(lab))
    }
    const decided = `decided in ${middle(spentMs).toFixed(0)} ms, worst ${Math.max(...spentMs).toFixed(0)} ms`
    print(
      `${name.padEnd(34)} ${middle(ratios).toFixed(3)} x, worst ${Math.max(...ratios).toFixed(3)} x  ${decided}`,
    )
  }
}

/** The makespan of a lab whose environments take as long as they were estimated. */
function simulate({ hosts, jobs }: CapacityLab): number {
  const admission = new Admission({
    hosts,
    parallel: jobs.length,
    reserveAfterMs: defaultLimits.reserve,
  })
  const running: { id: string; endsAtMs: number }[] = []
  let nowMs = 0
  for (const job of jobs) {
    admission.submit(job, nowMs)
  }
  for (;;) {
    for (const { job } of admission.admit(nowMs)) {
      const endsAtMs = nowMs + job.estimateMs
      const index = running.findIndex(other => other.endsAtMs < endsAtMs)
      running.splice(index === -1 ? running.length : index, 0, { id: job.id, endsAtMs })
    }
    const next = running.pop()
    if (next === undefined) {
      return nowMs
    }
    nowMs = next.endsAtMs
    admission.release(next.id)
  }
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
