import { CimDate, type WmiValue } from '../wmi/values.js'
import { formatDate } from './dates.js'
import {
  isArray,
  itemsOf,
  NetObject,
  PsChar,
  PsDate,
  PsHash,
  PsObject,
  PsSpan,
  ScriptBlock,
  TypeRef,
  type Value,
  WmiObject,
} from './values.js'

/** A value as PowerShell makes text of it: in strings, in casts, in comparisons. */
export function textOf(value: Value, separator = ' '): string {
  if (value === null) return ''
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return numberText(value)
  if (typeof value === 'bigint' || typeof value === 'string') return String(value)
  if (value instanceof PsChar) return value.text
  if (value instanceof PsDate) return formatDate(value, 'MM/dd/yyyy HH:mm:ss')
  if (value instanceof PsSpan) return spanText(value)
  if (isArray(value))
    return itemsOf(value)
      .map(it => textOf(it))
      .join(separator)
  if (value instanceof PsHash)
    return value.ordered ? 'System.Collections.Specialized.OrderedDictionary' : 'System.Collections.Hashtable'
  if (value instanceof PsObject)
    return value.typeName === 'System.Management.Automation.PSCustomObject'
      ? `@{${value
          .list()
          .map(it => `${it.name}=${textOf(it.value)}`)
          .join('; ')}}`
      : value.typeName
  if (value instanceof TypeRef) return value.name
  if (value instanceof ScriptBlock) return value.block.source
  if (value instanceof WmiObject) return wmiPath(value)
  return value.text()
}

/** Numbers of double precision with fifteen digits, as .NET Framework prints them. */
export function numberText(value: number): string {
  if (Number.isInteger(value))
    return Math.abs(value) < 1e15
      ? String(value)
      : value
          .toExponential()
          .replace(/e\+?(-?)(\d)$/, 'E+$1$2')
          .replace('e+', 'E+')
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
  return String(Number(value.toPrecision(15))).replace('e', 'E')
}

function spanText({ ms }: PsSpan): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  const total = Math.abs(ms)
  const days = Math.floor(total / 86_400_000)
  const ticks = Math.round((total % 1000) * 10_000)
  return `${ms < 0 ? '-' : ''}${days > 0 ? `${days}.` : ''}${two((total / 3_600_000) % 24)}:${two((total / 60_000) % 60)}:${two((total / 1000) % 60)}${ticks > 0 ? `.${String(ticks).padStart(7, '0')}` : ''}`
}

function wmiPath({ instance, cim }: WmiObject): string {
  const { definition, values } = instance
  const key = definition.singleton ? '=@' : `.${definition.key}="${String(values.get(definition.key) ?? '')}"`
  return cim
    ? `${definition.name} (${definition.key} = "${String(values.get(definition.key) ?? '')}")`
    : `\\\\.\\${definition.namespace}:${definition.name}${key}`
}

/** A value of WMI as it is in PowerShell: CIM cmdlets make dates of datetimes, the older ones leave the text. */
export function fromWmi(value: WmiValue, cim: boolean): Value {
  if (value instanceof CimDate)
    return cim ? new PsDate(value.ms, 'Local', value.zone.offsetMinutes(value.ms)) : value.toString()
  if (typeof value === 'object' && value !== null) return [...value]
  return value
}

/** The name of a value's type, e.g. `System.String`. */
export function typeNameOf(value: Value): string {
  if (value === null) return ''
  if (typeof value === 'boolean') return 'System.Boolean'
  if (typeof value === 'number') return Number.isInteger(value) ? 'System.Int32' : 'System.Double'
  if (typeof value === 'bigint') return value > 0x7fff_ffff_ffff_ffffn ? 'System.UInt64' : 'System.Int64'
  if (typeof value === 'string') return 'System.String'
  if (value instanceof PsChar) return 'System.Char'
  if (value instanceof PsDate) return 'System.DateTime'
  if (value instanceof PsSpan) return 'System.TimeSpan'
  if (Buffer.isBuffer(value)) return 'System.Byte[]'
  if (Array.isArray(value)) return 'System.Object[]'
  if (value instanceof PsHash)
    return value.ordered ? 'System.Collections.Specialized.OrderedDictionary' : 'System.Collections.Hashtable'
  if (value instanceof PsObject || value instanceof NetObject) return value.typeName
  if (value instanceof TypeRef) return 'System.RuntimeType'
  if (value instanceof ScriptBlock) return 'System.Management.Automation.ScriptBlock'
  if (value instanceof WmiObject)
    return value.cim
      ? 'Microsoft.Management.Infrastructure.CimInstance'
      : 'System.Management.ManagementObject'
  return 'System.Object'
}
