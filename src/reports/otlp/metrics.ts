import type { RunState } from '../../journal/state.js'
import { attributes, nanoseconds, type OtlpAttribute } from './values.js'

interface Point {
  readonly timeUnixNano: string
  readonly asDouble: number
  readonly attributes: readonly OtlpAttribute[]
}

/** One gauge, as OTLP's JSON has it. */
export interface OtlpMetric {
  readonly name: string
  readonly unit: string
  readonly gauge: { readonly dataPoints: readonly Point[] }
}

/** Units as UCUM writes them, which OpenTelemetry asks for; others are passed on. */
const ucum: Readonly<Record<string, string>> = {
  bytes: 'By',
  KiB: 'KiBy',
  MiB: 'MiBy',
  GiB: 'GiBy',
  ppm: '[ppm]',
  '%': '%',
}

/** What the tests of a run measured, and how long they took: one gauge a measure, one point a test. */
export function metricsOf(state: RunState): readonly OtlpMetric[] {
  const metrics = new Map<string, { readonly unit: string; readonly dataPoints: Point[] }>()
  const add = (name: string, unit: string, point: Point): void => {
    const key = `${name}\n${unit}`
    const known = metrics.get(key)
    if (known === undefined) metrics.set(key, { unit, dataPoints: [point] })
    else known.dataPoints.push(point)
  }
  for (const { planned, tests } of state.environments) {
    for (const { planned: test, decisive, verdict } of tests) {
      if (decisive === null || decisive.startedAt === null) continue
      const timeUnixNano = nanoseconds(Date.parse(decisive.startedAt) + decisive.durationMs)
      const own = attributes({
        'guestcert.environment': planned.id,
        'guestcert.emulated': planned.emulated,
        'test.case.name': test.id,
        'guestcert.verdict': verdict,
      })
      add('guestcert.test.duration', 'ms', { timeUnixNano, asDouble: decisive.durationMs, attributes: own })
      for (const [name, { value, unit }] of Object.entries(decisive.measures)) {
        const point = { timeUnixNano, asDouble: value, attributes: own }
        add(`guestcert.measure.${test.suite}.${name}`, ucum[unit] ?? unit, point)
      }
    }
  }
  return [...metrics].map(([key, { unit, dataPoints }]) => ({
    name: key.slice(0, key.indexOf('\n')),
    unit,
    gauge: { dataPoints },
  }))
}
