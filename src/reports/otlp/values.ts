/** One attribute, as OTLP's JSON has it. */
export interface OtlpAttribute {
  readonly key: string
  readonly value: OtlpValue
}

type OtlpValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly OtlpValue[] } }

type Plain = string | number | boolean | readonly string[]

/** Attributes from plain values; what is `undefined` or `null` is left out. */
export function attributes(
  from: Readonly<Record<string, Plain | null | undefined>>,
): readonly OtlpAttribute[] {
  return Object.entries(from).flatMap(([key, value]) =>
    value === null || value === undefined ? [] : [{ key, value: otlpValue(value) }],
  )
}

/** A moment as OTLP wants it: ns since 1970, as a text, since no number of JavaScript is as exact. */
export function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms)) * 1_000_000n)
}

function otlpValue(value: Plain): OtlpValue {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  }
  return { arrayValue: { values: value.map(one => ({ stringValue: one })) } }
}
