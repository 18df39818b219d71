import { InfraError, InternalError } from '../../config/errors.js'
import { packageVersion } from '../../config/package-root.js'
import { withDeadline } from '../../deadline/deadline.js'
import type { ReportContext } from '../output.js'
import { metricsOf, type OtlpMetric } from './metrics.js'
import { resourceOf, spansOf } from './trace.js'

/** What a collector takes at once by default is 4 MiB; a span has about 1 kB. */
const mostAtOnce = 1000

/**
 * Sends a run to an OTLP collector over HTTP as JSON: its trace to `URL/v1/traces`, its measures to `URL/v1/metrics`
 * (OpenTelemetry Protocol 1.x). `OTEL_EXPORTER_OTLP_HEADERS` (`key=value,key=value`, percent-encoded) goes with each
 * request, so that a token stands on no command line.
 *
 * @throws InternalError when the collector does not accept all of it.
 */
export async function sendOtlp(context: ReportContext, url: string): Promise<readonly string[]> {
  const { state, exitCode } = context
  const resource = resourceOf(state)
  const scope = { name: 'guestcert', version: packageVersion() }
  const base = url.replace(/\/+$/, '')
  for (const spans of inLots([...spansOf(state, exitCode)])) {
    await post(
      `${base}/v1/traces`,
      { resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }] },
      context,
    )
  }
  for (const metrics of metricLots(metricsOf(state))) {
    await post(
      `${base}/v1/metrics`,
      { resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }] },
      context,
    )
  }
  return [base]
}

async function post(url: string, body: unknown, { env, limitMs }: ReportContext): Promise<void> {
  const deadline = { name: 'report', ms: limitMs, where: url, what: 'an answer' }
  const { response, answer } = await withDeadline(deadline, async signal => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headersIn(env.OTEL_EXPORTER_OTLP_HEADERS ?? '') },
      body: JSON.stringify(body),
      redirect: 'error',
      signal,
    })
    return { response, answer: await response.text().catch(() => '') }
  }).catch((error: unknown) => {
    throw refused(url, reasonOf(error, limitMs), error)
  })
  if (!response.ok) throw refused(url, `${response.status} ${response.statusText}`.trim())
  const lost = /"rejected(?:Spans|DataPoints)":\s*"?([1-9]\d*)/.exec(answer)?.[1]
  if (lost !== undefined) throw refused(url, `it rejected ${lost} of them`)
}

function reasonOf(error: unknown, limitMs: number): string {
  if (error instanceof InfraError) return `no answer within ${limitMs} ms (limit: report)`
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error ? cause.message : String(error)
}

function refused(url: string, why: string, cause?: unknown): InternalError {
  return new InternalError(`the collector at ${url} did not accept the report: ${why}`, {
    cause,
  })
}

function headersIn(text: string): Record<string, string> {
  const pairs = text.split(',').flatMap(pair => {
    const at = pair.indexOf('=')
    return at < 1 ? [] : [[pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())] as const]
  })
  return Object.fromEntries(pairs)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Metrics in lots of a bounded number of points; one of many points is divided. */
function* metricLots(metrics: readonly OtlpMetric[]): Generator<readonly OtlpMetric[]> {
  let lot: OtlpMetric[] = []
  let points = 0
  for (const metric of metrics) {
    for (const dataPoints of inLots(metric.gauge.dataPoints)) {
      if (points + dataPoints.length > mostAtOnce && lot.length > 0) {
        yield lot
        lot = []
        points = 0
      }
      lot.push({ ...metric, gauge: { dataPoints } })
      points += dataPoints.length
    }
  }
  if (lot.length > 0) yield lot
}

function inLots<T>(all: readonly T[]): readonly (readonly T[])[] {
  const lots: T[][] = []
  for (let from = 0; from < all.length; from += mostAtOnce) lots.push(all.slice(from, from + mostAtOnce))
  return lots
}
