import { fail } from './errors.js'
import { textOf, typeNameOf } from './text.js'
import {
  isArray,
  isTrue,
  itemsOf,
  NetObject,
  nothing,
  PsChar,
  PsDate,
  PsHash,
  PsObject,
  PsSpan,
  ScriptBlock,
  TypeRef,
  type Value,
} from './values.js'

/** Short names of types. See about_Type_Accelerators. */
const accelerators: Readonly<Record<string, string>> = {
  string: 'System.String',
  char: 'System.Char',
  byte: 'System.Byte',
  int: 'System.Int32',
  int16: 'System.Int16',
  int32: 'System.Int32',
  long: 'System.Int64',
  int64: 'System.Int64',
  uint16: 'System.UInt16',
  uint32: 'System.UInt32',
  uint64: 'System.UInt64',
  bool: 'System.Boolean',
  switch: 'System.Management.Automation.SwitchParameter',
  double: 'System.Double',
  float: 'System.Single',
  single: 'System.Single',
  decimal: 'System.Decimal',
  datetime: 'System.DateTime',
  timespan: 'System.TimeSpan',
  array: 'System.Array',
  hashtable: 'System.Collections.Hashtable',
  object: 'System.Object',
  psobject: 'System.Management.Automation.PSObject',
  pscustomobject: 'System.Management.Automation.PSCustomObject',
  regex: 'System.Text.RegularExpressions.Regex',
  guid: 'System.Guid',
  xml: 'System.Xml.XmlDocument',
  version: 'System.Version',
  type: 'System.Type',
  scriptblock: 'System.Management.Automation.ScriptBlock',
  powershell: 'System.Management.Automation.PowerShell',
  runspacefactory: 'System.Management.Automation.Runspaces.RunspaceFactory',
  wmi: 'System.Management.ManagementObject',
  wmiclass: 'System.Management.ManagementClass',
  void: 'System.Void',
  ref: 'System.Management.Automation.PSReference',
  ordered: 'System.Collections.Specialized.OrderedDictionary',
  math: 'System.Math',
  convert: 'System.Convert',
  environment: 'System.Environment',
  console: 'System.Console',
  iformattable: 'System.IFormattable',
  nullstring: 'System.Management.Automation.Language.NullString',
}

/** The full name of a type; `System.` may be left out. */
export function fullTypeName(name: string): string {
  const clean = name.replace(/\s/g, '')
  const list = clean.endsWith('[]')
  const base = list ? clean.slice(0, -2) : clean
  const full =
    accelerators[base.toLowerCase()] ?? (/^(?:system|microsoft)\./i.test(base) ? base : `System.${base}`)
  return list ? `${full}[]` : full
}

const ranges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  'system.byte': [0n, 255n],
  'system.int16': [-32_768n, 32_767n],
  'system.uint16': [0n, 65_535n],
  'system.int32': [-2_147_483_648n, 2_147_483_647n],
  'system.uint32': [0n, 4_294_967_295n],
  'system.int64': [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
  'system.uint64': [0n, 18_446_744_073_709_551_615n],
}

/** A value as a number; NaN where it is none. */
export function toNumber(value: Value): number {
  if (value === null) return 0
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof PsChar) return value.text.charCodeAt(0)
  if (typeof value === 'string') {
    const text = value.trim()
    if (text === '') return 0
    return /^[-+]?(?:0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)$/i.test(text) ? Number(text) : Number.NaN
  }
  return Number.NaN
}

/** Rounds half to even, as .NET does. */
export function roundEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}

function refused(value: Value, type: string): Error {
  return fail({
    message: `Cannot convert value "${textOf(value)}" to type "${type}". Error: "Input string was not in a correct format."`,
    type: 'System.Management.Automation.PSInvalidCastException',
    id: 'InvalidCastFromStringToInteger',
    category: 'InvalidArgument',
  })
}

/** Casts a value to a type. Throws PsError. `offsetMinutes` is the guest's, for dates. */
export function cast(value: Value, typeName: string, offsetMinutes: (ms: number) => number): Value {
  const type = fullTypeName(typeName)
  const lower = type.toLowerCase()
  if (lower.endsWith('[]')) {
    if (lower === 'system.byte[]') return Buffer.from(itemsOf(value).map(it => toNumber(it)))
    if (lower === 'system.char[]' && typeof value === 'string') return [...value].map(it => new PsChar(it))
    return itemsOf(value).map(it => cast(it, type.slice(0, -2), offsetMinutes))
  }
  const range = ranges[lower]
  if (range) {
    const exact = typeof value === 'bigint' ? value : undefined
    const number =
      exact ?? toNumber(isArray(value) && value.length === 1 ? (itemsOf(value)[0] ?? null) : value)
    if (typeof number === 'number' && Number.isNaN(number)) throw refused(value, type)
    const whole = typeof number === 'bigint' ? number : BigInt(roundEven(number))
    if (whole < range[0] || whole > range[1])
      throw fail({
        message: `Cannot convert value "${textOf(value)}" to type "${type}". Error: "Value was either too large or too small for ${type.split('.')[1] === 'Int32' ? 'an' : 'a'} ${type.split('.')[1]}."`,
        id: 'InvalidCastIConvertible',
        category: 'InvalidArgument',
      })
    return lower.endsWith('64') ? whole : Number(whole)
  }
  switch (lower) {
    case 'system.string':
      return textOf(value)
    case 'system.boolean':
    case 'system.management.automation.switchparameter':
      return isTrue(value)
    case 'system.double':
    case 'system.single':
    case 'system.decimal': {
      const number = toNumber(value)
      if (Number.isNaN(number)) throw refused(value, type)
      return number
    }
    case 'system.char':
      return value instanceof PsChar
        ? value
        : typeof value === 'string'
          ? new PsChar(value.slice(0, 1))
          : new PsChar(String.fromCharCode(toNumber(value)))
    case 'system.void':
      return nothing
    case 'system.array':
      return isArray(value) ? value : [value]
    case 'system.datetime':
      return toDate(value, offsetMinutes)
    case 'system.timespan':
      return value instanceof PsSpan ? value : new PsSpan(toNumber(value) / 10_000)
    case 'system.management.automation.pscustomobject':
    case 'system.management.automation.psobject':
      return value instanceof PsHash
        ? new PsObject(
            'System.Management.Automation.PSCustomObject',
            [...value.entries.values()].map(it => [textOf(it.key), it.value] as const),
          )
        : value
    case 'system.collections.specialized.ordereddictionary': {
      if (!(value instanceof PsHash)) return value
      const ordered = new PsHash(true)
      for (const it of value.entries.values()) ordered.set(it.key, it.value)
      return ordered
    }
    case 'system.version':
      return versionObject(textOf(value))
    case 'system.type':
      return value instanceof TypeRef ? value : new TypeRef(fullTypeName(textOf(value)))
    default:
      return value
  }
}

/** A System.Version. */
export function versionObject(text: string): NetObject {
  const parts = text.split('.').map(Number)
  const part = (index: number) => (): Value => parts[index] ?? -1
  return new NetObject('System.Version', {
    get: { major: part(0), minor: part(1), build: part(2), revision: part(3) },
    methods: { tostring: () => text },
    text: () => text,
    inner: { version: parts },
  })
}

function toDate(value: Value, offsetMinutes: (ms: number) => number): Value {
  if (value instanceof PsDate) return value
  const text = textOf(value)
  const parts =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(text)
  const us = /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?: (\d{1,2}):(\d\d):(\d\d)(?: (AM|PM))?)?$/i.exec(text)
  if (!parts && !us)
    throw fail({
      message: `Cannot convert value "${text}" to type "System.DateTime". Error: "String was not recognized as a valid DateTime."`,
      id: 'InvalidCastParseTargetInvocationWithFormatProvider',
      category: 'InvalidArgument',
    })
  let wall: number
  if (parts) {
    const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', zone] = parts
    wall = Date.UTC(
      Number(year),
      Number(month) - 1,
      Number(day),
      Number(hour),
      Number(minute),
      Number(second),
      Number(fraction.padEnd(3, '0').slice(0, 3)),
    )
    if (zone !== undefined) {
      const shift =
        zone === 'Z'
          ? 0
          : (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2)))
      const ms = wall - shift * 60_000
      return new PsDate(ms, 'Local', offsetMinutes(ms))
    }
  } else {
    const [, month, day, year, hour = '0', minute = '0', second = '0', half] = us ?? []
    const hours =
      half === undefined ? Number(hour) : (Number(hour) % 12) + (half.toUpperCase() === 'PM' ? 12 : 0)
    wall = Date.UTC(Number(year), Number(month) - 1, Number(day), hours, Number(minute), Number(second))
  }
  const offset = offsetMinutes(wall)
  return new PsDate(wall - offset * 60_000, 'Unspecified', offset)
}

/** Interfaces and bases of types, as far as `-is` is asked about them. */
export function isOfType(value: Value, typeName: string): boolean {
  if (value === null) return false
  const wanted = fullTypeName(typeName).toLowerCase()
  const actual = typeNameOf(value).toLowerCase()
  if (actual === wanted || wanted === 'system.object') return true
  switch (wanted) {
    case 'system.iformattable':
      return (
        typeof value === 'number' ||
        typeof value === 'bigint' ||
        value instanceof PsDate ||
        value instanceof PsSpan ||
        actual === 'system.guid'
      )
    case 'system.valuetype':
      return typeof value !== 'string' && !isArray(value) && !(value instanceof NetObject)
    case 'system.array':
    case 'system.object[]':
      return isArray(value)
    case 'system.collections.ienumerable':
      return isArray(value) || typeof value === 'string' || value instanceof PsHash
    case 'system.collections.ilist':
      return isArray(value)
    case 'system.collections.idictionary':
      return value instanceof PsHash
    case 'system.uint64':
      return typeof value === 'bigint' && value >= 0n
    case 'system.int64':
      return typeof value === 'bigint'
    case 'system.management.automation.psobject':
    case 'system.management.automation.pscustomobject':
      return value instanceof PsObject
    case 'system.management.automation.scriptblock':
      return value instanceof ScriptBlock
    case 'system.exception':
      return actual.endsWith('exception')
    default:
      return false
  }
}
