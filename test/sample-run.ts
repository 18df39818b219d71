import type { Labels } from '../src/config/labels.js'
import { defaultLimits } from '../src/config/limits.js'
import type { EventBody, JournalEvent, TestEnded, Verdict } from '../src/journal/events.js'
import type { SeenCheck } from '../src/journal/state.js'
import type { Plan, PlannedEnvironment, PlannedTest } from '../src/plan/types.js'

/** A planned test of a made-up suite, for tests of what reads plans and journals. */
export function sampleTest(id: string, changes: Partial<PlannedTest> = {}): PlannedTest {
  const [suite = 'clock'] = id.split('/')
  return {
    id,
    suite,
    suiteVersion: '1.0.0',
    suiteDigest: 'a'.repeat(64),
    title: `What ${id} shows`,
    level: 'required',
    requirements: ['GC-CLOCK-01'],
    protocol: 'tap',
    file: `${id.split('/')[1] ?? id}.sh`,
    manifest: `suites/${suite}/suite.yaml`,
    line: 7,
    limitMs: 60_000,
    isolation: 'shared',
    after: [],
    ...changes,
  }
}

/** A planned environment of a made-up lab. */
export function sampleEnvironment(
  id: string,
  tests: readonly PlannedTest[],
  changes: Partial<PlannedEnvironment> = {},
): PlannedEnvironment {
  return {
    id,
    guest: {
      id: id.split('@')[0] ?? id,
      product: 'rhel',
      version: '5.11',
      edition: null,
      arch: 'x86_64',
      family: 'linux',
      shell: 'posix',
    },
    hypervisor: { product: 'rhel-kvm', version: '9.6' },
    configuration: { name: id.split('/')[1] ?? 'bios', vcpus: 1, memoryBytes: 2 ** 30 },
    emulated: false,
    hosts: ['kvm-1'],
    tests,
    leftOut: [],
    ...changes,
  }
}

/** A plan of these environments. */
export function samplePlan(environments: readonly PlannedEnvironment[]): Plan {
  return {
    lab: 'westford-3',
    digest: 'd'.repeat(64),
    expected: environments.reduce((sum, environment) => sum + environment.tests.length, 0),
    limits: defaultLimits,
    environments,
  }
}

/** Writes events with their stamps, one second apart. */
export interface SampleJournal {
  readonly events: readonly JournalEvent[]
  add(body: EventBody): SampleJournal
  /** Everything of one attempt: start, checks, end. */
  test(environment: string, test: string, verdict: Verdict, changes?: SampleAttempt): SampleJournal
  /** A new start of the runner, with a higher epoch. */
  session(): SampleJournal
}

/** What differs from an ordinary attempt. */
export interface SampleAttempt extends Partial<Omit<TestEnded, 'type' | 'environment' | 'test' | 'verdict'>> {
  /** Checks as `ok …`, `not ok …`, `todo …`, `skip …`; a newline begins the diagnostics. */
  readonly seen?: readonly (string | SeenCheck)[]
}

/** A journal of a plan, opened by its first session. */
export function sampleJournal(plan: Plan, labels: Labels = {}): SampleJournal {
  const events: JournalEvent[] = []
  let epoch = 0
  let ms = 0
  const journal: SampleJournal = {
    events,
    add(body) {
      ms += 1000
      const at = new Date(Date.UTC(2026, 10, 22, 10, 15, events.length)).toISOString()
      events.push({ v: 1, seq: events.length + 1, epoch, at, ms, ...body })
      return journal
    },
    session() {
      epoch += 1
      ms = 0
      return journal.add({ type: 'session-started', session: `s${epoch}`, epoch, runner: 'runner-1' })
    },
    test(environment, test, verdict, { seen, ...changes } = {}) {
      const attempt = changes.attempt ?? 1
      const instance = changes.instance === undefined ? 'i1' : changes.instance
      const lines =
        seen ?? (verdict === 'pass' ? ['ok it holds'] : verdict === 'fail' ? ['not ok it holds'] : [])
      if (instance !== null) journal.add({ type: 'test-started', environment, test, attempt, instance })
      const checks = { ok: 0, notOk: 0, todo: 0, skip: 0 }
      for (const line of lines) {
        const check = typeof line === 'string' ? parsed(line) : line
        checks[countedAs[check.state]] += 1
        journal.add({ type: 'check', environment, test, attempt, ...check })
      }
      return journal.add({
        type: 'test-ended',
        environment,
        test,
        verdict,
        attempt,
        ...(verdict === 'pass' ? {} : { cause: verdict === 'fail' ? 'guest' : 'host' }),
        reason: verdict === 'pass' ? '' : `because of ${verdict}`,
        durationMs: 1500,
        checks,
        evidence: [],
        final: true,
        ...changes,
        instance,
      })
    },
  }
  journal.session()
  return journal.add({
    type: 'run-opened',
    run: '20261122-101500-a1b2',
    planDigest: plan.digest,
    expected: plan.expected,
    lab: plan.lab,
    harness: 'guestcert 0.1.0',
    waiversDigest: null,
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  })
}

const countedAs = { ok: 'ok', 'not-ok': 'notOk', todo: 'todo', skip: 'skip' } as const

function parsed(line: string): SeenCheck {
  const [head = '', ...rest] = line.split('\n')
  const [, word = 'ok', text = ''] = /^(ok|not ok|todo|skip) ?(.*)$/u.exec(head) ?? []
  const state = word === 'not ok' ? 'not-ok' : (word as 'ok' | 'todo' | 'skip')
  return { state, text, ...(rest.length === 0 ? {} : { diagnostics: rest.join('\n') }) }
}
