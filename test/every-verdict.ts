import type { Evidence } from '../src/journal/events.js'
import { foldRun } from '../src/journal/fold.js'
import type { RunState } from '../src/journal/state.js'
import type { Plan } from '../src/plan/types.js'
import { type SampleJournal, sampleEnvironment, sampleJournal, samplePlan, sampleTest } from './sample-run.js'

/** A guest that was really there, and an emulated one. */
export const realEnvironment = 'ws2008@rhel-kvm-9.6/bios'
export const emulatedEnvironment = 'rhel5@rhel-kvm-9.6/bios'

const digest = 'f'.repeat(64)
const tests = [
  'clock/drift',
  'clock/monotonic',
  'core/disk',
  'core/identity',
  'core/memory',
  'core/reboot',
  'net/dhcp',
]

/** What a guest may say that is markup, a secret sign or nonsense somewhere. */
const nastyText = `<script>alert("1")</script> ]]> & | \`x\` @everyone \u001b[31mred\u001b[0m ::error::no`

function evidence(name: string): Evidence {
  return { path: `evidence/ws2008/i1/${name}`, sha256: digest, bytes: 12 }
}

/** A plan and a journal in which every verdict occurs, attempts before a pass and before a failure, and all of trouble. */
export function everyVerdict(): {
  readonly plan: Plan
  readonly journal: SampleJournal
  readonly state: RunState
} {
  const optional = { level: 'optional' } as const
  const plan = samplePlan([
    sampleEnvironment(realEnvironment, [
      ...tests.map(id => sampleTest(id)),
      sampleTest('extra/idle', optional),
    ]),
    sampleEnvironment(emulatedEnvironment, [sampleTest('clock/drift')], { emulated: true }),
  ])
  const at = realEnvironment
  const offset = "the guest's clock is within five seconds of the runner's"
  const journal = sampleJournal(plan, { build: '42', url: 'https://ci.example/42' })
    .add({ type: 'instance-started', environment: at, instance: 'i1', host: 'kvm-1', attempt: 1 })
    .add({
      type: 'instance-ready',
      environment: at,
      instance: 'i1',
      bootIdentity: 'b1',
      hostKey: null,
      factsDigest: digest,
      facts: { os: 'Windows Server 2008', kernel: '6.0.6003' },
    })
    .test(at, 'clock/drift', 'error', { final: false, cause: 'network', reason: 'the connection was lost' })
    .test(at, 'clock/drift', 'pass', { attempt: 2, measures: { drift: { value: 1.5, unit: 'ppm' } } })
    .test(at, 'clock/monotonic', 'fail', {
      reason: `not ok: ${offset}: got 3599998 ms, expected less than 5000 ms`,
      seen: ['ok it answers', `not ok ${offset}\ngot: 3599998 ms\nwanted: less than 5000 ms`],
      stderr: 'date: cannot set date\n',
      evidence: [evidence('monotonic.1.stdout.txt'), evidence('monotonic.1.stderr.txt')],
    })
    .test(at, 'core/disk', 'fail', { reason: nastyText, seen: [`not ok ${nastyText}`] })
    .test(at, 'core/identity', 'error', { reason: 'the host does not answer' })
    .test(at, 'core/memory', 'skip', { reason: 'the guest has no balloon' })
    .test(at, 'core/reboot', 'blocked', {
      instance: null,
      reason: 'it needs core/identity, whose verdict is error',
    })
    .test(at, 'extra/idle', 'pass', { durationMs: 90_000 })
    .add({
      type: 'instance-ended',
      environment: at,
      instance: 'i1',
      undone: [],
      orphan: 'the domain gc-1',
      kept: false,
      evidence: [],
    })
    .test(emulatedEnvironment, 'clock/drift', 'pass')
    .add({ type: 'host-set-aside', host: 'kvm-1', failures: 3, reason: 'no answer to health checks' })
  return { plan, journal, state: foldRun(plan, journal.events) }
}
