import { hostKeyFact } from '../../config/observed.js'
import type { EnvironmentState, RunState, TestState } from '../../journal/state.js'
import { digestOf } from '../canonical.js'
import { common, guestFacts, hostFacts } from './facts.js'
import { pairingOf } from './pairing.js'
import {
  predicates,
  type RecordedTest,
  type RunPredicate,
  type RunStatement,
  type Subject,
  statementType,
} from './types.js'

/** A run as it is recorded: its folded journal, and the digests of what belongs to it. */
export interface RecordedRun {
  readonly state: RunState
  /** SHA-256 of the journal's bytes. */
  readonly journal: string
  /** SHA-256 of the plan's bytes: the plan's own digest leaves out what does not matter to comparisons. */
  readonly plan: string
  /** Fingerprints of the host keys that the emulator publishes as those of its machines. */
  readonly emulatorKeys: ReadonlySet<string>
  /** The JUnit report of an environment, strict profile, without attachments: its SHA-256. */
  readonly junitOf: (environment: string) => string
}

/** The statements of a run: one for each planned pairing. The same journal and plan give the same bytes. */
export function statementsOf(run: RecordedRun): readonly RunStatement[] {
  return run.state.environments.map(environment => statementOf(run, environment))
}

function statementOf(
  { state, journal, plan, emulatorKeys, junitOf }: RecordedRun,
  environment: EnvironmentState,
): RunStatement {
  const { planned, tests } = environment
  const own = environment.instances.filter(({ peer }) => peer === null)
  const ready = own.flatMap(({ ready: facts }) => (facts === null ? [] : [facts.facts]))
  const used = new Set(own.map(({ host }) => host))
  const hosts = state.hosts.filter(({ host }) => used.has(host))
  const machine = common(ready.map(guestFacts))
  const host = common(hosts.map(({ facts }) => hostFacts(facts)))
  // Every host that was used has to have been seen: one that was not could be anything.
  const areSeen = used.size > 0 && [...used].every(id => hosts.some(sighting => sighting.host === id))
  const found = pairingOf(planned, machine.facts, areSeen ? host.facts : {})
  // Said by the machines themselves, whatever the lab says of them; a peer counts, too.
  const instances = environment.instances.flatMap(one => (one.ready === null ? [] : [one.ready]))
  const showsEmulation =
    instances.some(({ facts, hostKey }) => 'emulated' in facts || emulatorKeys.has(hostKey ?? '')) ||
    hosts.some(({ facts }) => 'emulated' in facts || emulatorKeys.has(facts[hostKeyFact] ?? ''))
  const image = /^sha256:([0-9a-f]{64})$/.exec(machine.facts['image digest'] ?? '')?.[1]
  const predicate: RunPredicate = {
    run: state.run ?? '',
    registration: state.certify?.registration ?? null,
    planDigest: state.planDigest,
    planExpected: state.environments.reduce((sum, one) => sum + one.planned.tests.length, 0),
    harness: { name: state.harness ?? '', digest: state.certify?.harnessDigest ?? null },
    openedAt: state.openedAt ?? '',
    closedAt: state.closedAt,
    interrupted: state.closed?.interrupted ?? false,
    sessions: state.sessions.length,
    problems: state.problems.length,
    emulated: planned.emulated || planned.peer?.emulated === true || showsEmulation,
    importedFrom: null,
    pairing: found.pairing,
    observed: {
      guest: found.guest,
      hypervisor: found.hypervisor,
      configuration: found.configuration,
      contradictions: found.contradictions,
      varying: [...machine.varying, ...host.varying.map(name => `host: ${name}`)],
      guestFacts: machine.facts,
      hostFacts: host.facts,
    },
    tests: tests.map(recordedTest),
    leftOut: planned.leftOut.map(({ test, level, kind }) => ({
      test,
      level: level ?? null,
      kind: kind ?? 'unable',
    })),
    evidence: own.flatMap(({ ended }) => filesOf(ended?.evidence ?? [])),
    junit: junitOf(planned.id),
  }
  const subject: Subject[] = [
    { name: 'pairing', digest: { sha256: digestOf(found.pairing) } },
    { name: 'journal', digest: { sha256: journal } },
    { name: 'plan', digest: { sha256: plan } },
    ...(image === undefined ? [] : [{ name: 'guest-image', digest: { sha256: image } }]),
  ]
  return { _type: statementType, subject, predicateType: predicates.run, predicate }
}

function recordedTest({ planned, verdict, cause, flaky, attempts, decisive }: TestState): RecordedTest {
  return {
    id: planned.id,
    suite: planned.suite,
    suiteVersion: planned.suiteVersion,
    suiteDigest: planned.suiteDigest,
    requirements: planned.requirements,
    level: planned.level,
    provenOn: planned.provenOn ?? null,
    verdict,
    cause,
    flaky,
    attempts: attempts.map(one => ({
      verdict: one.verdict,
      cause: one.cause,
      durationMs: one.durationMs,
      checks: one.counts,
    })),
    measures: decisive?.measures ?? {},
    evidence: attempts.flatMap(one => filesOf(one.evidence)),
  }
}

/** Paths hold names of the lab: content alone is recorded. */
function filesOf(
  files: readonly { readonly sha256: string; readonly bytes: number }[],
): { readonly sha256: string; readonly bytes: number }[] {
  return files.map(({ sha256, bytes }) => ({ sha256, bytes }))
}
