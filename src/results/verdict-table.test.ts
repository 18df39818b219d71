import fc from 'fast-check'
import t from 'tap'
import { type Judgement, judge, worsen } from './judge.js'
import type { LaterFacts, Observed } from './observed.js'
import { verdictTable } from './verdict-table.js'

const settings = { seed: 20_091_007, numRuns: 3000 }

const script: Observed = {
  by: 'tap',
  beginning: { kind: 'seen' },
  ending: { kind: 'code', code: 0 },
  output: 'whole',
  report: { kind: 'sound' },
  held: 1,
  failed: [],
}
const module: Observed = { ...script, by: 'module', ending: { kind: 'returned' } }
const missing = { kind: 'missing', printed: '' } as const
const threw = (cause: 'guest' | 'test' | 'network'): Observed['ending'] => ({
  kind: 'threw',
  cause,
  message: 'm',
})

/** For each row, in order, what reaches it and no row above it. */
const samples: readonly Observed[] = [
  { ...script, failed: ['a'], lease: { isTaken: true, cause: 'runner', message: 'm' } },
  { ...module, failed: ['a'], crash: 'panic', peer: { cause: 'network', message: 'm' } },
  { ...script, failed: ['a'], crash: 'panic', loss: { cause: 'network', message: 'm' } },
  { ...script, crash: 'panic', loss: { cause: 'network', message: 'm' } },
  { ...script, ending: { kind: 'code', code: 1 }, loss: { cause: 'network', message: 'm' } },
  { ...script, loss: { cause: 'guest', message: 'm' } },
  { ...script, loss: { cause: 'network', message: 'm' } },
  { ...script, beginning: missing, ending: threw('guest') },
  { ...script, beginning: missing, failed: ['a'] },
  { ...script, unkept: 'no space' },
  { ...module, ending: threw('guest') },
  { ...module, ending: threw('test') },
  { ...script, contradiction: 'two statuses' },
  { ...script, ending: { kind: 'lost' }, output: 'cut' },
  { ...script, output: 'cut' },
  { ...script, report: { kind: 'gave-up', reason: 'm' }, ending: { kind: 'code', code: 255 } },
  { ...script, ending: { kind: 'code', code: 137 } },
  { ...script, report: { kind: 'fault', what: 'm' } },
  { ...script, output: 'held' },
  { ...module, inFlight: ['guest.run'], improperEnd: 'm' },
  { ...module, improperEnd: 'm', unfinished: 1 },
  { ...module, unfinished: 1 },
  { ...script, lease: { isTaken: false, cause: 'network', message: 'm' } },
  { ...module, ending: { kind: 'skipped', reason: 'm' } },
  { ...module, ending: { kind: 'skipped', reason: 'm' }, held: 0 },
  { ...script, held: 0 },
  script,
  { ...script, ending: { kind: 'returned' } },
]

t.test('each row is reached by what it is for, and by nothing that a row above is for', async t => {
  t.equal(samples.length, verdictTable.length)
  samples.forEach((seen, index) => {
    const at = verdictTable.findIndex(({ why }) => why(seen) !== null)
    t.equal(at, index, String(verdictTable[index]?.observed))
    t.equal(judge(seen).verdict, verdictTable[index]?.verdict)
  })
})

t.test('a script and a module pass', async t => {
  for (const seen of [script, module]) {
    t.match(judge(seen), { verdict: 'pass', reason: '' })
    t.notOk('cause' in judge(seen))
  }
  t.equal(verdictTable.filter(({ verdict }) => verdict === 'pass').length, 1, 'one row gives a pass')
})

t.test('the row of the pass asks for every fact itself, whatever the rows above it let through', async t => {
  const pass = verdictTable.find(({ verdict }) => verdict === 'pass')
  const each: readonly Observed[] = [
    ...samples.filter(seen => seen !== script),
    { ...script, beginning: missing },
    { ...script, ending: { kind: 'lost' } },
    { ...script, ending: { kind: 'code', code: 1 } },
    { ...script, failed: ['a'] },
    { ...script, crash: 'panic' },
    { ...module, inFlight: ['guest.run'] },
    { ...module, improperEnd: 'm' },
    { ...module, ending: { kind: 'code', code: 0 } },
  ]
  for (const seen of each) t.equal(pass?.why(seen), null, JSON.stringify(seen))
  t.equal(pass?.why(script), '')
})

const trouble = fc.record({
  cause: fc.constantFrom('guest', 'host', 'network', 'runner', 'test', 'unknown'),
  message: fc.string({ maxLength: 3 }),
})
const ending = fc.oneof(
  fc.record({ kind: fc.constant('code'), code: fc.nat(255) }),
  fc.constant({ kind: 'code', code: 0 }),
  fc.record({ kind: fc.constant('signal'), signal: fc.constant('KILL') }),
  fc.constant({ kind: 'lost' }),
  fc.constant({ kind: 'limit', limit: 'test', limitMs: 1 }),
  fc.constant({ kind: 'returned' }),
  fc.record({ kind: fc.constant('skipped'), reason: fc.string({ maxLength: 3 }) }),
  trouble.map(found => ({ kind: 'threw', ...found })),
) as fc.Arbitrary<Observed['ending']>
const report = fc.oneof(
  fc.constant({ kind: 'sound' }),
  fc.constant({ kind: 'fault', what: 'm' }),
  fc.constant({ kind: 'gave-up', reason: 'm' }),
  fc.constant({ kind: 'skip', reason: '', statuses: [0, 4] }),
) as fc.Arbitrary<Observed['report']>
const later = fc.record(
  {
    peer: trouble,
    lease: fc.tuple(trouble, fc.boolean()).map(([found, isTaken]) => ({ ...found, isTaken })),
    crash: fc.string({ maxLength: 3 }),
    loss: trouble,
    unkept: fc.string({ maxLength: 3 }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<LaterFacts>
const observed = fc
  .tuple(
    fc.record(
      {
        by: fc.constantFrom('tap', 'ktap', 'exit', 'module'),
        beginning: fc.constantFrom({ kind: 'seen' }, { kind: 'seen' }, { kind: 'missing', printed: 'x' }),
        ending,
        output: fc.constantFrom('whole', 'whole', 'cut', 'held'),
        report,
        held: fc.nat(2),
        failed: fc.oneof(fc.constant([]), fc.array(fc.string({ maxLength: 3 }), { maxLength: 2 })),
        contradiction: fc.string({ maxLength: 3 }),
        unfinished: fc.nat(1),
        inFlight: fc.array(fc.constant('guest.run'), { maxLength: 1 }),
        improperEnd: fc.string({ maxLength: 3 }),
      },
      { requiredKeys: ['by', 'beginning', 'ending', 'output', 'report', 'held', 'failed'] },
    ),
    fc.oneof(fc.constant({}), later),
  )
  .map(([facts, more]) => ({ ...facts, ...more })) as fc.Arbitrary<Observed>

/** What a pass needs, said a second time and without the table. */
function mayPass(seen: Observed): boolean {
  const { kind } = seen.ending
  const isEnd =
    seen.by === 'module' ? kind === 'returned' : seen.ending.kind === 'code' && seen.ending.code === 0
  const { lease, peer, crash, loss, unkept, contradiction, unfinished = 0, inFlight = [], improperEnd } = seen
  return (
    isEnd &&
    seen.beginning.kind === 'seen' &&
    seen.output === 'whole' &&
    seen.report.kind === 'sound' &&
    seen.held > 0 &&
    seen.failed.length === 0 &&
    [lease, peer, crash, loss, unkept, contradiction, improperEnd].every(fact => fact === undefined) &&
    unfinished + inFlight.length === 0
  )
}

t.test('what was not seen whole, held and to its end never passes, and what was does', async t => {
  fc.assert(
    fc.property(observed, seen => (judge(seen).verdict === 'pass') === mayPass(seen)),
    settings,
  )
  t.pass('for every set of facts')
})

t.test('every verdict but a pass has a cause and a reason', async t => {
  fc.assert(
    fc.property(observed, seen => {
      const { verdict, cause } = judge(seen)
      return (verdict === 'pass') === (cause === undefined)
    }),
    settings,
  )
  t.pass('for every set of facts')
})

const distance = { pass: 0, skip: 1, fail: 2, error: 2 } as const

t.test('what is learnt later never brings an attempt nearer to a pass, in any order', async t => {
  fc.assert(
    fc.property(observed, fc.array(later, { maxLength: 4 }), (seen, facts) => {
      let attempt: Judgement = judge(seen)
      for (const fact of facts) {
        const next = worsen(attempt, fact)
        if (distance[next.verdict] < distance[attempt.verdict]) return false
        attempt = next
      }
      return true
    }),
    settings,
  )
  t.pass('for every set of facts')
})

t.test('a status above 128 is never judged harder than the signal that it may be', async t => {
  fc.assert(
    fc.property(observed, fc.integer({ min: 129, max: 255 }), (seen, code) => {
      const asStatus = judge({ ...seen, ending: { kind: 'code', code } }).verdict
      const asSignal = judge({ ...seen, ending: { kind: 'signal', signal: 'KILL' } }).verdict
      return asStatus === asSignal
    }),
    settings,
  )
  t.pass('for every set of facts')
})

t.test('worsen keeps what else is known of an attempt', async t => {
  const attempt = { ...judge(script), spoilt: false, checks: ['a'] }
  t.match(worsen(attempt, { crash: 'a panic' }), {
    verdict: 'fail',
    cause: 'guest',
    reason: 'a panic',
    spoilt: false,
    checks: ['a'],
  })
})
