import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { everyVerdict, realEnvironment } from '../../../test/every-verdict.js'
import type { ReportContext } from '../output.js'
import { sendOtlp } from './send.js'
import type { OtlpSpan } from './trace.js'

const { state } = everyVerdict()

interface Collected {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
}

/** A collector on loopback that answers as it is told to; one that answers nothing when told `null`. */
async function collector(
  t: Test,
  answer: { readonly status: number; readonly body: string } | null,
): Promise<{ readonly url: string; readonly collected: Collected[] }> {
  const collected: Collected[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString())
      collected.push({ path: request.url ?? '', headers: request.headers, body })
      if (answer !== null) response.writeHead(answer.status).end(answer.body)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, collected }
}

function context(changes: Partial<ReportContext> = {}): ReportContext {
  return {
    state,
    exitCode: 1,
    folder: '/runs/r1',
    workspace: '/',
    env: {},
    print: () => undefined,
    limitMs: 20_000,
    ...changes,
  }
}

t.test('a run is one trace of run, environments and attempts, and its measures are metrics', async t => {
  const { url, collected } = await collector(t, { status: 200, body: '{}' })
  const env = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc, x-lab=l1' }
  await sendOtlp(context({ env }), `${url}/`)
  t.same(
    collected.map(({ path }) => path),
    ['/v1/traces', '/v1/metrics'],
  )
  t.match(collected[0]?.headers, {
    authorization: 'Bearer abc',
    'x-lab': 'l1',
    'content-type': 'application/json',
  })
  const sent = (collected[0]?.body.resourceSpans ?? []) as readonly {
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[]
  }[]
  const spans = sent[0]?.scopeSpans[0]?.spans ?? []
  const [root] = spans
  t.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1)
  t.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length)
  t.ok(spans.every(({ traceId, spanId }) => /^[0-9a-f]{32}$/.test(traceId) && /^[0-9a-f]{16}$/.test(spanId)))
  t.equal(root?.parentSpanId, undefined)
  const environments = spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId)
  t.equal(environments.length, 2)
  const own = environments.find(({ name }) => name === realEnvironment)
  const attempts = spans.filter(({ parentSpanId }) => parentSpanId === own?.spanId)
  t.same(
    attempts.map(({ name, status }) => `${name} ${status.code}`),
    // What was blocked, or did not run, never began; the test that was tried twice has two spans.
    [
      'clock/drift 2',
      'clock/drift 1',
      'clock/monotonic 2',
      'core/disk 2',
      'core/identity 2',
      'core/memory 1',
      'extra/idle 1',
    ],
  )
  t.ok(attempts.every(span => BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano)))
  t.match(
    JSON.stringify(collected[1]?.body),
    /"name":"guestcert.measure.clock.drift","unit":"\[ppm\]".*"asDouble":1.5/,
  )
})

t.test('what a collector does not accept is an error', async t => {
  const refusing = await collector(t, { status: 401, body: '' })
  await t.rejects(sendOtlp(context(), refusing.url), {
    name: 'InternalError',
    message: /did not accept the report: 401/,
  })
  const partial = await collector(t, { status: 200, body: '{"partialSuccess":{"rejectedSpans":"3"}}' })
  await t.rejects(sendOtlp(context(), partial.url), { message: /it rejected 3 of them/ })
})

t.test('a collector that is not there, or never answers, is an error', async t => {
  await t.rejects(sendOtlp(context(), 'http://127.0.0.1:1'), { message: /did not accept the report: / })
  const silent = await collector(t, null)
  await t.rejects(sendOtlp(context({ limitMs: 50 }), silent.url), {
    message: /no answer within 50 ms \(limit: report\)/,
  })
})
