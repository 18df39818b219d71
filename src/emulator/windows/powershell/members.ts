import { toNumber } from './convert.js'
import { datePart, dayOfWeek, formatDate, ticksOf } from './dates.js'
import { errorRecord, fail, methodFailure, PsError } from './errors.js'
import { formatNumber } from './numbers.js'
import { orderOf } from './operators.js'
import { propertiesOf } from './properties.js'
import { collect, type Frame } from './runtime.js'
import { fromWmi, textOf, typeNameOf } from './text.js'
import { textMethods } from './text-methods.js'
import {
  collapse,
  isArray,
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
  WmiObject,
} from './values.js'

/** `target.name`: null where there is no such property. Of a list, from version 3 on, that of each item. */
export function memberOf(target: Value, name: string, frame: Frame): Value {
  const key = name.toLowerCase()
  if (target === null) return null
  if (target instanceof TypeRef) {
    const own = frame.shell.staticMember(target.name, key, frame)
    return own === undefined ? typeProperty(target, key) : own
  }
  if (key === 'psobject') return psObject(target)
  if (typeof target === 'string')
    return key === 'length' ? target.length : key === 'count' && frame.shell.major >= 3 ? 1 : null
  if (target instanceof PsHash) {
    if (target.has(name)) return target.get(name)
    if (key === 'count') return target.entries.size
    if (key === 'keys') return [...target.entries.values()].map(it => it.key)
    if (key === 'values') return [...target.entries.values()].map(it => it.value)
    return null
  }
  if (isArray(target)) {
    if (key === 'length' || key === 'count' || key === 'longlength') return target.length
    if (key === 'rank') return 1
    if (frame.shell.major < 3) return null
    return collapse(
      itemsOf(target)
        .map(it => memberOf(it, name, frame))
        .filter(it => it !== null),
    )
  }
  if (target instanceof PsObject)
    return target.get(name) ?? (key === 'count' && frame.shell.major >= 3 ? 1 : null)
  if (target instanceof WmiObject) return wmiProperty(target, name)
  if (target instanceof PsDate) return dateProperty(target, key)
  if (target instanceof PsSpan) return spanProperty(target, key)
  if (target instanceof ScriptBlock) return null
  if (target instanceof NetObject) {
    const get = target.get[key]
    if (get) return get()
    if (Array.isArray(target.inner) && (key === 'count' || key === 'length')) return target.inner.length
  }
  return (key === 'count' || key === 'length') && frame.shell.major >= 3 ? 1 : null
}

function typeProperty({ name }: TypeRef, key: string): Value {
  if (key === 'name') return name.split('.').at(-1) ?? name
  if (key === 'fullname') return name
  if (key === 'isarray') return name.endsWith('[]')
  return null
}

function psObject(target: Value): Value {
  const properties = propertiesOf(target).map(
    it =>
      new NetObject('System.Management.Automation.PSNoteProperty', {
        get: { name: () => it.name, value: () => it.value, membertype: () => 'NoteProperty' },
        text: () => it.name,
      }),
  )
  const named: Record<string, () => Value> = {}
  for (const it of properties) named[textOf(it.get.name?.() ?? null).toLowerCase()] = () => it
  const collection = new NetObject('System.Management.Automation.PSMemberInfoIntegratingCollection', {
    get: named,
    inner: properties,
    methods: { item: ([name]) => named[textOf(name ?? null).toLowerCase()]?.() ?? null },
  })
  return new NetObject('System.Management.Automation.PSObject', {
    get: { properties: () => collection, baseobject: () => target, typenames: () => [typeNameOf(target)] },
  })
}

function wmiProperty({ instance, cim, names }: WmiObject, name: string): Value {
  const { definition, values } = instance
  const key = name.toLowerCase()
  if (key === '__class' && !cim) return definition.name
  if (key === '__server' && !cim) return '.'
  if (key === '__path' && !cim) return textOf(new WmiObject(instance, cim, names))
  if (key === 'cimclass' && cim)
    return new NetObject('Microsoft.Management.Infrastructure.CimClass', {
      get: { cimclassname: () => definition.name },
    })
  const property = definition.properties.find(it => it.name.toLowerCase() === key)
  if (!property) return null
  // Properties that a query has not asked for are there and empty.
  if (names && !names.some(it => it.toLowerCase() === key)) return null
  return fromWmi(values.get(property.name) ?? null, cim)
}

function dateProperty(date: PsDate, key: string): Value {
  const part = datePart(date, key)
  if (part !== undefined) return part
  if (key === 'ticks') return ticksOf(date)
  if (key === 'kind') return date.kind
  if (key === 'dayofweek') return dayOfWeek(date)
  if (key === 'date') {
    const wall = date.ms + date.offset * 60_000
    return new PsDate(date.ms - (wall % 86_400_000), date.kind, date.offset)
  }
  return null
}

function spanProperty({ ms }: PsSpan, key: string): Value {
  const totals: Readonly<Record<string, number>> = {
    totalmilliseconds: 1,
    totalseconds: 1000,
    totalminutes: 60_000,
    totalhours: 3_600_000,
    totaldays: 86_400_000,
  }
  const total = totals[key]
  if (total !== undefined) return ms / total
  const parts: Readonly<Record<string, number>> = {
    milliseconds: ms % 1000,
    seconds: Math.trunc(ms / 1000) % 60,
    minutes: Math.trunc(ms / 60_000) % 60,
    hours: Math.trunc(ms / 3_600_000) % 24,
    days: Math.trunc(ms / 86_400_000),
  }
  return key === 'ticks' ? BigInt(Math.round(ms * 10_000)) : (parts[key] ?? null)
}

/** `target.name(args)`. Throws PsError. */
export async function invokeMember(
  target: Value,
  name: string,
  args: readonly Value[],
  frame: Frame,
): Promise<Value> {
  const key = name.toLowerCase()
  if (target === null)
    throw fail({
      message: 'You cannot call a method on a null-valued expression.',
      id: 'InvokeMethodOnNull',
      category: 'InvalidOperation',
    })
  if (target instanceof TypeRef) {
    const result = await frame.shell.staticMethod(target.name, key, args, frame)
    if (result !== undefined) return result
  }
  const universal = await universalMethod(target, key, args)
  if (universal !== undefined) return universal
  const own = await ownMethod(target, key, args, frame)
  if (own !== undefined) return own
  if (target instanceof PsObject || target instanceof PsHash) {
    const held = memberOf(target, name, frame)
    if (held instanceof ScriptBlock) return collapse(await collect(frame.shell, held, args, frame))
  }
  throw fail({
    message: `Method invocation failed because [${typeNameOf(target)}] ${frame.shell.major < 3 ? `doesn't contain` : 'does not contain'} a method named '${name}'.`,
    id: 'MethodNotFound',
    category: 'InvalidOperation',
    target: name,
  })
}

async function universalMethod(
  target: Value,
  key: string,
  args: readonly Value[],
): Promise<Value | undefined> {
  if (key === 'gettype') return new TypeRef(typeNameOf(target))
  if (key === 'equals' && args.length === 1)
    return target === args[0] || (typeof target !== 'object' && textOf(target) === textOf(args[0] ?? null))
  if (key === 'compareto' && args.length === 1) return Math.sign(orderOf(target, args[0] ?? null, true))
  if (key === 'tostring') {
    const [format] = args
    if (target instanceof NetObject && target.methods.tostring) return target.methods.tostring(args)
    if ((typeof target === 'number' || typeof target === 'bigint') && typeof format === 'string')
      return formatNumber(target, format)
    if (target instanceof PsDate) return formatDate(target, typeof format === 'string' ? format : 'G')
    if (target instanceof PsChar || !(target instanceof NetObject)) return textOf(target)
    return target.text()
  }
  if (key === 'gethashcode') return 0
  return undefined
}

async function ownMethod(
  target: Value,
  key: string,
  args: readonly Value[],
  frame: Frame,
): Promise<Value | undefined> {
  if (typeof target === 'string') return textMethods[key]?.(target, args)
  if (target instanceof PsChar) return undefined
  if (target instanceof PsHash) return hashMethod(target, key, args)
  if (target instanceof PsDate) return dateMethod(target, key, args, frame)
  if (target instanceof PsSpan)
    return key === 'add' ? new PsSpan(target.ms + (args[0] instanceof PsSpan ? args[0].ms : 0)) : undefined
  if (isArray(target)) return arrayMethod(target, key, args)
  if (target instanceof ScriptBlock) {
    if (key === 'invoke') return collect(frame.shell, target, args, frame)
    if (key === 'getnewclosure') return target
    return undefined
  }
  if (target instanceof WmiObject) return wmiMethod(target, key, args, frame)
  if (target instanceof NetObject) {
    const method = target.methods[key]
    if (!method) return undefined
    try {
      return await method(args)
    } catch (error) {
      if (error instanceof RangeError || error instanceof TypeError)
        throw methodFailure(key, args.length, error.message)
      throw error
    }
  }
  return undefined
}

function hashMethod(
  hash: PsHash,
  key: string,
  [first = null, second = null]: readonly Value[],
): Value | undefined {
  switch (key) {
    case 'containskey':
    case 'contains':
      return hash.has(first)
    case 'add':
      if (hash.has(first))
        throw methodFailure(
          'Add',
          2,
          `Item has already been added. Key in dictionary: '${textOf(first)}'  Key being added: '${textOf(first)}'`,
          'System.ArgumentException',
        )
      hash.set(first, second)
      return nothing
    case 'remove': {
      const rest = [...hash.entries.values()].filter(
        it => textOf(it.key).toLowerCase() !== textOf(first).toLowerCase(),
      )
      hash.entries.clear()
      for (const it of rest) hash.set(it.key, it.value)
      return nothing
    }
    case 'clear':
      hash.entries.clear()
      return nothing
    case 'getenumerator':
      return [...hash.entries.values()].map(
        it =>
          new PsObject('System.Collections.DictionaryEntry', [
            ['Name', it.key],
            ['Key', it.key],
            ['Value', it.value],
          ]),
      )
    default:
      return undefined
  }
}

function dateMethod(
  date: PsDate,
  key: string,
  [first = null]: readonly Value[],
  frame: Frame,
): Value | undefined {
  const unit = (
    {
      addmilliseconds: 1,
      addseconds: 1000,
      addminutes: 60_000,
      addhours: 3_600_000,
      adddays: 86_400_000,
    } as Readonly<Record<string, number>>
  )[key]
  if (unit !== undefined) return new PsDate(date.ms + toNumber(first) * unit, date.kind, date.offset)
  switch (key) {
    case 'touniversaltime':
      return new PsDate(date.ms, 'Utc', 0)
    case 'tolocaltime':
      return new PsDate(date.ms, 'Local', frame.shell.offsetMinutes(date.ms))
    case 'add':
      return first instanceof PsSpan ? new PsDate(date.ms + first.ms, date.kind, date.offset) : undefined
    case 'subtract':
      return first instanceof PsDate
        ? new PsSpan(date.ms - first.ms)
        : first instanceof PsSpan
          ? new PsDate(date.ms - first.ms, date.kind, date.offset)
          : undefined
    case 'addmonths':
    case 'addyears': {
      const wall = new Date(date.ms)
      if (key === 'addmonths') wall.setUTCMonth(wall.getUTCMonth() + toNumber(first))
      else wall.setUTCFullYear(wall.getUTCFullYear() + toNumber(first))
      return new PsDate(wall.getTime(), date.kind, date.offset)
    }
    case 'tofiletime':
    case 'tofiletimeutc':
      return BigInt(date.ms) * 10_000n + 116_444_736_000_000_000n
    default:
      return undefined
  }
}

function arrayMethod(
  target: readonly Value[] | Buffer,
  key: string,
  [first = null]: readonly Value[],
): Value | undefined {
  switch (key) {
    case 'contains':
      return itemsOf(target).some(it => textOf(it) === textOf(first))
    case 'indexof':
      return itemsOf(target).findIndex(it => textOf(it) === textOf(first))
    case 'getvalue':
      return itemsOf(target)[toNumber(first)] ?? null
    case 'getupperbound':
      return target.length - 1
    case 'getlength':
      return target.length
    case 'clone':
      return Buffer.isBuffer(target) ? Buffer.from(target) : [...target]
    case 'add':
      throw new PsError(
        errorRecord({
          message: 'Exception calling "Add" with "1" argument(s): "Collection was of a fixed size."',
          type: 'System.Management.Automation.MethodInvocationException',
          id: 'NotSupportedException',
        }),
      )
    default:
      return undefined
  }
}

async function wmiMethod(
  target: WmiObject,
  key: string,
  args: readonly Value[],
  frame: Frame,
): Promise<Value | undefined> {
  const { system } = frame.shell.call
  const result = (code: number): Value =>
    new PsObject('System.Management.ManagementBaseObject', [['ReturnValue', code]])
  if (target.cim && key !== 'getciminstance') return undefined
  switch (key) {
    case 'terminate': {
      const process = system.processes.get(Number(target.instance.values.get('ProcessId') ?? -1))
      if (!process || process.protected) return result(2)
      process.terminate(toNumber(args[0] ?? 0))
      return result(0)
    }
    case 'getpropertyvalue':
      return memberOf(target, textOf(args[0] ?? null), frame)
    case 'reboot':
    case 'shutdown':
      system.power({
        action: key === 'reboot' ? 'reboot' : 'off',
        delayMs: 0,
        process: 'wmiprvse.exe',
        user: 'NT AUTHORITY\\SYSTEM',
        reason: 'No title for this reason could be found',
        code: '0x80070000',
        comment: '',
      })
      return result(0)
    case 'startservice':
    case 'stopservice': {
      const service = system.services.get(String(target.instance.values.get('Name') ?? '').toLowerCase())
      if (!service) return result(6)
      const wanted = key === 'startservice' ? 'running' : 'stopped'
      if (service.state === wanted) return result(key === 'startservice' ? 10 : 5)
      service.state = wanted
      return result(0)
    }
    default:
      return undefined
  }
}
