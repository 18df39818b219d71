import { packageVersion } from '../../config/package-root.js'
import type { Verdict } from '../../journal/events.js'
import type { AttemptState, EnvironmentState, RunState, TestState } from '../../journal/state.js'
import { plainText } from '../../text/controls.js'
import { tailOf } from '../clean.js'
import { leftOutOf } from '../findings.js'
import { attachmentPath, mostUsefulFirst } from '../junit/attachments.js'
import { stableId } from '../junit/names.js'

const longestTrace = 16 * 1024

/** CTRF knows five words. What was not carried out is `failed`: gates look at nothing else. `rawStatus` says more. */
const statuses: Readonly<Record<Verdict, string>> = {
  pass: 'passed',
  fail: 'failed',
  error: 'failed',
  skip: 'skipped',
  blocked: 'failed',
  'not-run': 'failed',
}

/**
 * A run in the Common Test Report Format (https://ctrf.io, schema 0.0.0). `attachments` is the run's folder as seen from
 * the workspace.
 */
export function ctrfOf(state: RunState, attachments: string): Record<string, unknown> {
  const { counts, openedAt, durationMs, labels } = state
  const start = Date.parse(openedAt ?? '') || 0
  const tests = state.environments.flatMap(environment =>
    environment.tests.map(test => testOf(environment, test, attachments)),
  )
  return {
    reportFormat: 'CTRF',
    specVersion: '0.0.0',
    reportId: uuidOf(stableId(state.run ?? '', state.planDigest)),
    generatedBy: `guestcert ${packageVersion()}`,
    results: {
      tool: { name: 'guestcert', version: packageVersion() },
      summary: {
        tests: tests.length,
        passed: counts.pass,
        failed: counts.fail + counts.error + counts.blocked + counts['not-run'],
        skipped: counts.skip,
        pending: 0,
        other: 0,
        flaky: state.flaky,
        suites: new Set(tests.map(({ suite }) => JSON.stringify(suite))).size,
        start,
        stop: start + durationMs,
      },
      environment: {
        testEnvironment: state.lab,
        ...(labels.build === undefined ? {} : { buildName: labels.build }),
        ...(labels.commit === undefined ? {} : { commit: labels.commit }),
        ...(labels.url === undefined ? {} : { buildUrl: labels.url }),
        extra: {
          run: state.run,
          planDigest: state.planDigest,
          labels,
          leftOutRequired: leftOutOf(state)?.required ?? 0,
        },
      },
      tests,
    },
  }
}

function testOf(
  { planned }: EnvironmentState,
  test: TestState,
  attachments: string,
): Record<string, unknown> & { readonly suite: readonly string[] } {
  const { decisive, verdict, cause, reason } = test
  const start = Date.parse(decisive?.startedAt ?? '')
  const { guest, hypervisor } = planned
  return {
    id: uuidOf(stableId(test.planned.suite, test.planned.id, planned.id)),
    name: test.planned.id,
    status: statuses[verdict],
    rawStatus: verdict,
    duration: decisive?.durationMs ?? 0,
    ...(Number.isNaN(start) ? {} : { start, stop: start + (decisive?.durationMs ?? 0) }),
    suite: [planned.id, test.planned.suite],
    ...(verdict === 'pass' ? {} : { message: plainText(reason) }),
    ...traceOf(decisive),
    filePath: test.planned.manifest,
    line: test.planned.line,
    flaky: test.flaky,
    retries: Math.max(0, test.attempts.length - 1),
    tags: [test.planned.level, ...test.planned.requirements],
    device: `${hypervisor.product} ${hypervisor.version}`,
    ...attachmentsOf(decisive, attachments),
    extra: {
      title: test.planned.title,
      environment: planned.id,
      guest: `${guest.product} ${guest.version}`,
      emulated: planned.emulated,
      ...(cause === null ? {} : { cause }),
      measures: decisive?.measures ?? {},
      evidence: (decisive?.evidence ?? []).map(({ path, sha256 }) => ({ path, sha256 })),
    },
  }
}

/** The failed checks, and the end of standard error. */
function traceOf(attempt: AttemptState | null): {
  readonly trace?: string
  readonly stderr?: readonly string[]
} {
  const failed = (attempt?.checks ?? []).filter(({ state }) => state === 'not-ok')
  const lines = failed.map(
    ({ text, diagnostics }) => `not ok - ${text}${diagnostics ? `\n${diagnostics}` : ''}`,
  )
  const stderr = plainText(attempt?.stderr ?? '').trimEnd()
  return {
    ...(lines.length === 0 ? {} : { trace: tailOf(plainText(lines.join('\n')), longestTrace).text }),
    ...(stderr === '' ? {} : { stderr: stderr.split('\n') }),
  }
}

function attachmentsOf(attempt: AttemptState | null, folder: string): Record<string, unknown> {
  const files = mostUsefulFirst(attempt?.evidence ?? []).flatMap(({ path }) => {
    const attached = attachmentPath(folder, path)
    const name = path.slice(path.lastIndexOf('/') + 1)
    return attached === null ? [] : [{ name, contentType: 'text/plain', path: attached }]
  })
  return files.length === 0 ? {} : { attachments: files }
}

/** 128 bits as CTRF wants its identities: a UUID (RFC 9562, version 8: made by a rule of our own). */
function uuidOf(hex: string): string {
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`]
  return [...parts, hex.slice(20, 32)].join('-')
}
