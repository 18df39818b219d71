import { dmtf, type TimeZone } from '../system/time-zone.js'

/** A point in time, as CIM's datetime. */
export class CimDate {
  readonly ms: number
  readonly zone: TimeZone
  readonly #micros: number | undefined

  constructor(ms: number, zone: TimeZone, micros?: number) {
    this.ms = micros === undefined ? ms : Math.floor(ms / 1000) * 1000 + Math.floor(micros / 1000)
    this.zone = zone
    this.#micros = micros
  }

  /** In DMTF form with the guest's offset. */
  toString(): string {
    const text = dmtf(this.zone, this.ms)
    return this.#micros === undefined
      ? text
      : text.replace(/\.\d{6}/, `.${String(this.#micros).padStart(6, '0')}`)
  }
}

export type WmiValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | CimDate
  | readonly string[]
  | readonly number[]

/** Values of one instance by property name; those not named are null. */
export type Row = Readonly<Record<string, WmiValue>>

export interface PropertyDefinition {
  readonly name: string
  /** As in MOF: `uint64`, `string[]`, `datetime`. */
  readonly type: string
}

export interface ClassDefinition {
  readonly name: string
  readonly namespace: string
  readonly key: string
  readonly singleton: boolean
  readonly properties: readonly PropertyDefinition[]
}

/** One object of WMI. */
export interface WmiInstance {
  readonly definition: ClassDefinition
  readonly values: ReadonlyMap<string, WmiValue>
}

/** WMI refused. The text is that of the error number. */
export class WmiError extends Error {
  readonly code: number

  constructor(code: number, text: string) {
    super(text)
    this.code = code
  }
}

export const invalidClass = (): WmiError => new WmiError(0x80041010, 'Invalid class')
export const invalidNamespace = (): WmiError => new WmiError(0x8004100e, 'Invalid namespace')
export const invalidQuery = (): WmiError => new WmiError(0x80041017, 'Invalid query')
export const providerFailure = (): WmiError => new WmiError(0x80041013, 'Provider load failure')
