import { packageVersion } from '../../config/package-root.js'
import type { AttemptState, EnvironmentState, RunState, TestState } from '../../journal/state.js'
import { stableId } from '../junit/names.js'
import { attributes, nanoseconds, type OtlpAttribute } from './values.js'

/** One span, as OTLP's JSON has it. */
export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly OtlpAttribute[]
  readonly status: { readonly code: number; readonly message?: string }
}

const internal = 1
const status = { ok: 1, error: 2 } as const

/** What every span and metric of a run is about: OpenTelemetry's "resource". */
export function resourceOf(state: RunState): { readonly attributes: readonly OtlpAttribute[] } {
  const labels = Object.entries(state.labels).map(
    ([name, value]) => [`guestcert.label.${name}`, value] as const,
  )
  return {
    attributes: attributes({
      'service.name': 'guestcert',
      'service.version': packageVersion(),
      'guestcert.lab': state.lab,
      'guestcert.run': state.run,
      'guestcert.plan.digest': state.planDigest,
      ...Object.fromEntries(labels),
    }),
  }
}

/**
 * A run as a trace: the run, below it the environments, below them one span an attempt. What never began has no span.
 * Identities come from the run's name, so that a report that is sent twice is one trace.
 */
export function* spansOf(state: RunState, exitCode: number): Generator<OtlpSpan> {
  const traceId = stableId('trace', state.run ?? '', state.planDigest)
  const startMs = Date.parse(state.openedAt ?? '') || 0
  const root = spanId(traceId)
  yield {
    traceId,
    spanId: root,
    name: `guestcert run ${state.lab}`,
    kind: internal,
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(Math.max(startMs + state.durationMs, lastEnd(state))),
    attributes: attributes({
      'guestcert.exit_code': exitCode,
      ...Object.fromEntries(
        Object.entries(state.counts).map(([verdict, count]) => [`guestcert.count.${verdict}`, count]),
      ),
      'guestcert.flaky': state.flaky,
    }),
    status: { code: exitCode === 0 ? status.ok : status.error },
  }
  for (const environment of state.environments) {
    const began = Date.parse(environment.startedAt ?? '')
    if (Number.isNaN(began)) continue
    yield environmentSpan(environment, { traceId, parentSpanId: root, began })
    const parentSpanId = spanId(traceId, environment.planned.id)
    for (const test of environment.tests) {
      for (const [index, attempt] of test.attempts.entries()) {
        if (attempt.startedAt === null) continue
        const id = spanId(traceId, environment.planned.id, test.planned.id, String(index))
        yield attemptSpan(test, attempt, environment, { traceId, spanId: id, parentSpanId })
      }
    }
  }
}

function environmentSpan(
  { planned, durationMs, counts, instances }: EnvironmentState,
  at: { readonly traceId: string; readonly parentSpanId: string; readonly began: number },
): OtlpSpan {
  const { guest, hypervisor } = planned
  const isGood = counts.fail + counts.error + counts.blocked + counts['not-run'] === 0
  return {
    traceId: at.traceId,
    spanId: spanId(at.traceId, planned.id),
    parentSpanId: at.parentSpanId,
    name: planned.id,
    kind: internal,
    startTimeUnixNano: nanoseconds(at.began),
    endTimeUnixNano: nanoseconds(at.began + durationMs),
    attributes: attributes({
      'guestcert.environment': planned.id,
      'guestcert.emulated': planned.emulated,
      'guestcert.guest': `${guest.product} ${guest.version}`,
      'guestcert.hypervisor': `${hypervisor.product} ${hypervisor.version}`,
      'guestcert.hosts': [...new Set(instances.map(({ host }) => host))],
    }),
    status: { code: isGood ? status.ok : status.error },
  }
}

function attemptSpan(
  { planned }: TestState,
  attempt: AttemptState,
  { planned: environment, instances }: EnvironmentState,
  ids: Pick<OtlpSpan, 'traceId' | 'spanId'> & { readonly parentSpanId: string },
): OtlpSpan {
  const start = Date.parse(attempt.startedAt ?? '')
  const isGood = attempt.verdict === 'pass' || attempt.verdict === 'skip'
  return {
    ...ids,
    name: planned.id,
    kind: internal,
    startTimeUnixNano: nanoseconds(start),
    endTimeUnixNano: nanoseconds(start + attempt.durationMs),
    attributes: attributes({
      'test.suite.name': planned.suite,
      'test.case.name': planned.id,
      // OpenTelemetry's test attributes know these two words only.
      'test.case.result.status':
        attempt.verdict === 'pass' ? 'pass' : attempt.verdict === 'fail' ? 'fail' : undefined,
      'guestcert.verdict': attempt.verdict,
      'guestcert.cause': attempt.cause,
      'guestcert.attempt': attempt.attempt,
      'guestcert.level': planned.level,
      'guestcert.requirements': planned.requirements,
      'guestcert.environment': environment.id,
      'guestcert.emulated': environment.emulated,
      'guestcert.host': instances.find(({ id }) => id === attempt.instance)?.host,
    }),
    status: isGood ? { code: status.ok } : { code: status.error, message: attempt.reason },
  }
}

/** 64 bits, as a span wants them. */
function spanId(traceId: string, ...path: readonly string[]): string {
  return stableId('span', traceId, ...path).slice(0, 16)
}

/** Sessions may lie apart: no span ends after its run. */
function lastEnd({ environments }: RunState): number {
  return environments.reduce((last, { startedAt, durationMs }) => {
    const began = Date.parse(startedAt ?? '')
    return Number.isNaN(began) ? last : Math.max(last, began + durationMs)
  }, 0)
}
