import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../test/sample-run.js'
import type { JournalEvent, Verdict } from '../journal/events.js'
import { foldRun } from '../journal/fold.js'
import { bootTestId } from '../plan/boot.js'
import { digestPlan } from '../plan/digest.js'
import type { Plan, PlannedEnvironment } from '../plan/types.js'
import { digestOf } from './canonical.js'
import type { Case, DecisionInput } from './decision/types.js'
import { type Policy, policySchema } from './policy/schema.js'
import { statementsOf } from './statement/build.js'
import type { RunPredicate, RunStatement } from './statement/types.js'

/** What differs from a run that certifies. */
export interface SampleChanges {
  readonly guestFacts?: Readonly<Record<string, string>>
  readonly hostFacts?: Readonly<Record<string, string>> | null
  readonly environment?: Partial<PlannedEnvironment>
  /** The key that the guest proved. */
  readonly hostKey?: string
  readonly verdicts?: Readonly<Record<string, Verdict>>
  readonly suiteDigest?: string
  readonly isClosed?: boolean
  readonly isRegistered?: boolean
  /** A second machine, with other facts. */
  readonly second?: Readonly<Record<string, string>>
}

export const leaf = 'ab'.repeat(32)
export const harness = 'cd'.repeat(32)
/** A host key that the emulator publishes. */
export const emulatorKey = `SHA256:${'E'.repeat(43)}`
export const suiteDigest = 'a'.repeat(64)
const environmentId = 'deb@debian-kvm-12/bios'
const ids = [bootTestId, 'core/identity', 'core/memory']

const guestFacts = {
  os: 'Debian GNU/Linux 12 (bookworm)',
  'os.id': 'debian',
  'os.release': '12',
  release: '12.8',
  kernel: 'Linux 6.1.0-28-amd64 x86_64',
  accelerator: 'kvm',
  'vm vcpus': '2',
  'vm memory': '1048576 KiB',
  'image digest': `sha256:${'e'.repeat(64)}`,
  'vm uuid': 'not recorded',
}
const hostFacts = {
  'host product': 'Debian GNU/Linux 12 (bookworm)',
  hypervisor: 'QEMU 7.2.22',
  'libvirt version': '9.0.0',
  'host name': 'not recorded',
}

/** A plan of one pairing and the journal of a run of it. */
export function sampleRun(changes: SampleChanges = {}): { plan: Plan; events: readonly JournalEvent[] } {
  const tests = ids.map(id => sampleTest(id, { suiteDigest: changes.suiteDigest ?? suiteDigest }))
  const environment = sampleEnvironment(environmentId, tests, {
    guest: {
      id: 'deb',
      product: 'debian',
      version: '12',
      edition: null,
      arch: 'x86_64',
      family: 'linux',
      shell: 'posix',
    },
    hypervisor: { product: 'debian-kvm', version: '12' },
    configuration: { name: 'bios', vcpus: 2, memoryBytes: 2 ** 30 },
    ...changes.environment,
  })
  const plan = { ...samplePlan([environment]), digest: digestPlan([environment]) }
  const journal = sampleJournal(plan)
  const id = environment.id
  const seen = changes.hostFacts === undefined ? hostFacts : changes.hostFacts
  if (seen !== null) journal.add({ type: 'host-observed', host: 'kvm-1', facts: seen })
  const machines = [{ ...guestFacts, ...changes.guestFacts }, ...(changes.second ? [changes.second] : [])]
  machines.forEach((facts, index) => {
    const instance = `i${index + 1}`
    journal.add({ type: 'instance-started', environment: id, instance, host: 'kvm-1', attempt: index + 1 })
    const ready = { bootIdentity: 'b', hostKey: changes.hostKey ?? null, factsDigest: '', facts }
    journal.add({ type: 'instance-ready', environment: id, instance, ...ready })
  })
  for (const test of environment.tests) {
    const verdict = changes.verdicts?.[test.id] ?? 'pass'
    const evidence = [{ path: `evidence/deb/${test.id}.log`, sha256: 'f'.repeat(64), bytes: 3 }]
    journal.test(id, test.id, verdict, { evidence })
  }
  if (changes.isClosed !== false) {
    const counts = { pass: 3, fail: 0, error: 0, skip: 0, blocked: 0, 'not-run': 0 }
    journal.add({ type: 'run-closed', counts, flaky: 0, exitCode: 0, interrupted: false })
  }
  const events = journal.events.map(event =>
    event.type === 'run-opened' && changes.isRegistered !== false
      ? {
          ...event,
          run: `20261122-101500-${leaf.slice(0, 12)}`,
          certify: { registration: leaf, harnessDigest: harness },
        }
      : event,
  )
  return { plan, events }
}

/** The statement of such a run. */
export function sampleStatement(changes: SampleChanges = {}): RunStatement {
  const { plan, events } = sampleRun(changes)
  const state = foldRun(plan, events)
  const [statement] = statementsOf({
    state,
    journal: digestOf(events),
    plan: digestOf(plan),
    emulatorKeys: new Set([emulatorKey]),
    junitOf: () => '1'.repeat(64),
  })
  if (statement === undefined) throw new Error('the plan has no environment')
  return statement
}

/** A policy for the sample's pairing. */
export function samplePolicy(
  changes: Record<string, unknown> = {},
  pairing: Record<string, unknown> = {},
): Policy {
  return policySchema.parse({
    policy: 'sample',
    version: '1.0.0',
    title: 'A sample',
    kit: 'shipped',
    ageDays: 90,
    row: 1,
    registered: true,
    reproduction: 'required',
    waivers: { owner: 'vendor-a', mostDays: 60, never: ['core/identity'] },
    carry: 'minor',
    validDays: 365,
    pairings: [
      {
        pairing: 'debian-12-on-debian-12',
        title: 'Debian 12 on Debian 12 with KVM',
        guest: { product: 'debian', version: '12', arch: 'x86_64' },
        hypervisor: { product: 'debian-kvm', version: '12' },
        configuration: { vcpus: 2 },
        accelerators: ['kvm'],
        required: ids,
        signatures: [
          { party: 'vendor-a', role: 'lab' },
          { party: 'vendor-b', role: 'reviewer' },
        ],
        support: { first: 'vendor-a', second: 'vendor-b' },
        ...pairing,
      },
    ],
    ...changes,
  })
}

/** A case as a ledger would give it. */
export function sampleCase(run: RunPredicate, changes: Partial<Case> = {}): Case {
  return {
    object: '0'.repeat(64),
    run,
    signers: [{ party: 'vendor-a', roles: ['lab'] }],
    registration:
      run.registration === null
        ? null
        : {
            leaf: run.registration,
            at: '2026-11-22T10:14:00.000Z',
            planDigest: run.planDigest,
            harnessDigest: harness,
            party: 'vendor-a',
            cosigners: ['vendor-b'],
          },
    row: ['passed'],
    reproducedBy: ['vendor-b'],
    rejected: null,
    manual: new Map(),
    ...changes,
  }
}

/** What a decision about one sample run depends on. */
export function sampleInput(one: Case, changes: Partial<DecisionInput> = {}): DecisionInput {
  const policy = changes.policy ?? samplePolicy()
  const [pairing] = policy.pairings
  if (pairing === undefined) throw new Error('the policy has no pairing')
  return {
    cases: [one],
    policy,
    pairing,
    kit: { harness: [harness], suites: { guestcert: [suiteDigest], core: [suiteDigest] } },
    waivers: [],
    nowMs: Date.parse('2026-11-30T12:00:00Z'),
    ...changes,
  }
}
