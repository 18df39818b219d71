import type { WmiInstance } from '../wmi/values.js'
import type { Block } from './parse/ast.js'

/** One character of .NET. */
export class PsChar {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type DateKind = 'Utc' | 'Local' | 'Unspecified'

/** A System.DateTime, to the millisecond. `ms` is UTC whatever the kind. */
export class PsDate {
  readonly ms: number
  readonly kind: DateKind
  /** Minutes that what it shows is ahead of UTC. */
  readonly offset: number

  constructor(ms: number, kind: DateKind, offset: number) {
    this.ms = ms
    this.kind = kind
    this.offset = kind === 'Utc' ? 0 : offset
  }
}

/** A System.TimeSpan in ms. */
export class PsSpan {
  readonly ms: number

  constructor(ms: number) {
    this.ms = ms
  }
}

/** A hashtable: keys are found in any case. */
export class PsHash {
  readonly entries = new Map<string, { readonly key: Value; value: Value }>()
  readonly ordered: boolean

  constructor(ordered = false) {
    this.ordered = ordered
  }

  get(key: Value): Value {
    return this.entries.get(keyOf(key))?.value ?? null
  }

  set(key: Value, value: Value): void {
    this.entries.set(keyOf(key), { key, value })
  }

  has(key: Value): boolean {
    return this.entries.has(keyOf(key))
  }
}

function keyOf(key: Value): string {
  return typeof key === 'string' ? `s${key.toLowerCase()}` : `${typeof key}${String(key)}`
}

/** An object with properties of its own: what Select-Object and [pscustomobject] make. */
export class PsObject {
  readonly typeName: string
  readonly properties = new Map<string, { readonly name: string; value: Value }>()

  constructor(typeName: string, properties: Iterable<readonly [string, Value]> = []) {
    this.typeName = typeName
    for (const [name, value] of properties) this.set(name, value)
  }

  get(name: string): Value | undefined {
    return this.properties.get(name.toLowerCase())?.value
  }

  set(name: string, value: Value): void {
    const key = name.toLowerCase()
    const before = this.properties.get(key)
    if (before) before.value = value
    else this.properties.set(key, { name, value })
  }

  list(): { readonly name: string; readonly value: Value }[] {
    return [...this.properties.values()]
  }
}

export type Method = (args: readonly Value[]) => Value | Promise<Value>

/** An object of .NET as far as scripts may use it. */
export class NetObject {
  readonly typeName: string
  readonly get: Readonly<Record<string, () => Value>>
  readonly set: Readonly<Record<string, (value: Value) => void>>
  readonly methods: Readonly<Record<string, Method>>
  readonly text: () => string
  /** What the emulator keeps with it. */
  readonly inner: unknown

  constructor(
    typeName: string,
    parts: {
      readonly get?: Readonly<Record<string, () => Value>>
      readonly set?: Readonly<Record<string, (value: Value) => void>>
      readonly methods?: Readonly<Record<string, Method>>
      readonly text?: () => string
      readonly inner?: unknown
    },
  ) {
    this.typeName = typeName
    this.get = parts.get ?? {}
    this.set = parts.set ?? {}
    this.methods = parts.methods ?? {}
    this.text = parts.text ?? (() => typeName)
    this.inner = parts.inner
  }
}

/** A type, as `[int]` names it: by its full name. */
export class TypeRef {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** What a method without a result gives: a pipeline does not see it, everything else takes it for null. */
export const nothing = new TypeRef('System.Void')

/** A script in braces. */
export class ScriptBlock {
  readonly block: Block

  constructor(block: Block) {
    this.block = block
  }
}

/** An object of WMI as Get-WmiObject or Get-CimInstance gives it. */
export class WmiObject {
  readonly instance: WmiInstance
  readonly cim: boolean
  /** Names that the query asked for; undefined of all. */
  readonly names: readonly string[] | undefined

  constructor(instance: WmiInstance, cim: boolean, names: readonly string[] | undefined) {
    this.instance = instance
    this.cim = cim
    this.names = names
  }
}

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | PsChar
  | PsDate
  | PsSpan
  | PsHash
  | PsObject
  | NetObject
  | TypeRef
  | ScriptBlock
  | WmiObject
  | Buffer
  | readonly Value[]

/** Whether it is an array of .NET, bytes among them. */
export function isArray(value: Value): value is readonly Value[] | Buffer {
  return Array.isArray(value) || Buffer.isBuffer(value)
}

/** What a pipeline sees of a value: its items, itself, or nothing of null in a foreach. */
export function itemsOf(value: Value): readonly Value[] {
  if (Buffer.isBuffer(value)) return [...value]
  if (Array.isArray(value)) return value as readonly Value[]
  if (value instanceof NetObject && Array.isArray(value.inner)) return value.inner as readonly Value[]
  return [value]
}

/** One item is itself, several are an array, none is null: what an assignment keeps of a pipeline's output. */
export function collapse(items: readonly Value[]): Value {
  return items.length === 0 ? null : items.length === 1 ? (items[0] ?? null) : items
}

export function isTrue(value: Value): boolean {
  if (value === null) return false
  if (typeof value === 'boolean') return value
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value) !== 0
  if (typeof value === 'string') return value !== ''
  if (isArray(value)) return value.length > 1 || (value.length === 1 && isTrue(itemsOf(value)[0] ?? null))
  return true
}
