import t from 'tap'
import { sampleEnvironment, samplePlan, sampleTest } from '../../test/sample-run.js'
import { UsageError } from '../config/errors.js'
import { digestPlan } from './digest.js'
import { parseDurations, parseShard, shardOf } from './shard.js'

const ids = Array.from({ length: 13 }, (_, at) => `guest-${at}@rhel-kvm-9.6/bios`)
const environments = ids.map(id =>
  sampleEnvironment(id, [sampleTest('clock/drift'), sampleTest('clock/rate')]),
)
const plan = { ...samplePlan(environments), digest: digestPlan(environments) }

const idsOf = ({ environments: own }: typeof plan): string[] => own.map(({ id }) => id)
const partsOf = (of: number, durations = null as ReturnType<typeof parseDurations>): (typeof plan)[] =>
  Array.from({ length: of }, (_, at) => shardOf(plan, { index: at + 1, of }, durations))

t.test('every environment is in one part, and each part has its share', async t => {
  for (const of of [1, 2, 5, 13]) {
    const parts = partsOf(of)
    t.same(parts.flatMap(idsOf).sort(), [...ids].sort())
    const sizes = parts.map(({ environments: own }) => own.length)
    t.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join(' '))
    t.equal(
      parts.reduce((sum, { expected }) => sum + expected, 0),
      plan.expected,
    )
    for (const part of parts) {
      t.equal(part.digest, digestPlan(part.environments))
      t.match(part.shard, { of, whole: plan.digest })
      t.same(
        part.shard?.positions.map(at => ids[at]),
        idsOf(part),
        'each knows its place in the whole plan',
      )
    }
  }
})

t.test('the order of the lab does not decide what goes where', async t => {
  const turned = { ...plan, environments: environments.toReversed() }
  const [one, other] = [plan, turned].map(whole => idsOf(shardOf(whole, { index: 2, of: 4 }, null)).sort())
  t.same(one, other)
})

t.test('by durations, each environment goes to the part that has the least to do', async t => {
  const lengths = [900, 30, 30, 30, 30, 300, 300, 300, 10, 10, 10, 10]
  // The last environment is new: it takes as long as one of the middle.
  const content = JSON.stringify({
    environments: lengths.map((durationMs, at) => ({ id: ids[at], durationMs })),
  })
  const durations = parseDurations(content)
  const parts = partsOf(3, durations)
  t.same(parts.flatMap(idsOf).sort(), [...ids].sort())
  const loads = parts.map(part => idsOf(part).reduce((sum, id) => sum + (lengths[ids.indexOf(id)] ?? 30), 0))
  t.equal(Math.max(...loads), 900, 'the longest runs alone')
  for (const [at, part] of parts.entries()) {
    const shortest = Math.min(...idsOf(part).map(id => lengths[ids.indexOf(id)] ?? 30))
    t.ok(
      (loads[at] ?? 0) - shortest <= Math.min(...loads),
      `${loads.join(' ')}: nothing was given to a fuller part`,
    )
  }
  t.equal(parts[0]?.shard?.durations, durations?.sha256)
})

t.test('more parts than environments, and what is not a part, are refused', async t => {
  t.throws(
    () => shardOf(plan, { index: 1, of: 14 }, null),
    new UsageError('--shard 1/14: the plan has 13 environments, and cannot be split into more parts'),
  )
  for (const text of ['0/5', '6/5', '1/0', '5', '1/5/2', '-1/5', '1/1001', 'a/b', '1.5/2']) {
    t.equal(parseShard(text), null, text)
  }
  t.same(parseShard('2/5'), { index: 2, of: 5 })
  for (const text of [
    '',
    '[]',
    '{}',
    '{"environments":[]}',
    '{"environments":[{"id":"a","durationMs":-1}]}',
  ]) {
    t.equal(parseDurations(text), null, text)
  }
})
