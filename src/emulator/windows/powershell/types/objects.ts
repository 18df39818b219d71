import { cast, fullTypeName, toNumber, versionObject } from '../convert.js'
import { fail, methodFailure } from '../errors.js'
import { composite } from '../numbers.js'
import type { Frame } from '../runtime.js'
import { textOf } from '../text.js'
import { itemsOf, NetObject, nothing, PsHash, PsObject, PsSpan, type Value } from '../values.js'
import { encodingOf } from './encodings.js'
import { startInfo } from './processes.js'
import { dateOf, stopwatch } from './statics.js'

/** New-Object: makes an object of a type that scripts may make. Throws PsError. */
export function makeObject(typeName: string, args: readonly Value[], frame: Frame): Value {
  const type = fullTypeName(typeName)
  const lower = type.toLowerCase().replace(/`\d\[.*$|\[.*$/, '')
  switch (lower) {
    case 'system.management.automation.psobject':
    case 'system.management.automation.pscustomobject':
    case 'system.object':
      return new PsObject('System.Management.Automation.PSCustomObject')
    case 'system.collections.hashtable':
      return new PsHash()
    case 'system.collections.specialized.ordereddictionary':
      return new PsHash(true)
    case 'system.collections.arraylist':
    case 'system.collections.generic.list':
    case 'system.collections.objectmodel.collection':
      return listObject(
        type,
        args.length > 0 && typeof args[0] !== 'number' ? [...itemsOf(args[0] ?? null)] : [],
      )
    case 'system.text.stringbuilder':
      return stringBuilder(textOf(args[0] ?? null))
    case 'system.text.utf8encoding':
      return encodingOf(65001, args[0] === true)
    case 'system.text.asciiencoding':
      return encodingOf(20127)
    case 'system.text.unicodeencoding':
      return encodingOf(1200)
    case 'system.diagnostics.processstartinfo':
      return startInfo(args)
    case 'system.diagnostics.stopwatch':
      return stopwatch(frame)
    case 'system.datetime':
      return dateOf(args, frame)
    case 'system.timespan': {
      const [a = 0, b = 0, c = 0, d = 0] = args.map(it => toNumber(it))
      const ms =
        args.length === 1
          ? a / 10_000
          : args.length === 3
            ? ((a * 60 + b) * 60 + c) * 1000
            : (((a * 24 + b) * 60 + c) * 60 + d) * 1000
      return new PsSpan(ms)
    }
    case 'system.version':
      return versionObject(args.length > 1 ? args.map(it => textOf(it)).join('.') : textOf(args[0] ?? null))
    case 'system.exception':
    case 'system.argumentexception':
    case 'system.invalidoperationexception':
      return new NetObject(type, {
        get: { message: () => textOf(args[0] ?? null), innerexception: () => null },
        text: () => `${type}: ${textOf(args[0] ?? null)}`,
      })
    case 'system.security.principal.windowsprincipal':
      return new NetObject(type, {
        methods: {
          isinrole: ([role = null]) =>
            /administrator|544/i.test(textOf(role)) ? frame.shell.call.system.persona.state.elevated : false,
        },
      })
    case 'system.io.streamreader':
      return new NetObject(type, {
        methods: {
          readline: () => frame.shell.readLine(),
          readtoend: () => frame.shell.readRest(),
          close: () => nothing,
          dispose: () => nothing,
        },
      })
    case 'system.string':
      return cast(args[0] ?? null, 'string', () => 0)
    case 'system.byte[]':
    case 'system.byte':
      return Buffer.alloc(toNumber(args[0] ?? 0))
    case 'system.random':
      return new NetObject(type, {
        methods: {
          next: ([low, high]) =>
            high === undefined
              ? Math.floor(Math.random() * (low === undefined ? 0x7fff_ffff : toNumber(low)))
              : toNumber(low ?? 0) + Math.floor(Math.random() * (toNumber(high) - toNumber(low ?? 0))),
        },
      })
    default:
      throw fail({
        message: `Cannot find type [${typeName}]: ${frame.shell.major < 4 ? 'make sure the assembly containing this type is loaded' : 'verify that the assembly containing this type is loaded'}.`,
        type: 'System.Management.Automation.PSArgumentException',
        id: 'TypeNotFound,Microsoft.PowerShell.Commands.NewObjectCommand',
        category: 'InvalidType',
        activity: 'New-Object',
      })
  }
}

/** A list that grows; it is gone over as its items. */
export function listObject(type: string, items: Value[]): NetObject {
  return new NetObject(type, {
    get: { count: () => items.length, capacity: () => items.length },
    methods: {
      add: ([value = null]) => {
        items.push(value)
        return /arraylist/i.test(type) ? items.length - 1 : nothing
      },
      addrange: ([values = null]) => {
        items.push(...itemsOf(values))
        return nothing
      },
      remove: ([value = null]) => {
        const at = items.indexOf(value)
        if (at >= 0) items.splice(at, 1)
        return nothing
      },
      removeat: ([at = null]) => {
        items.splice(toNumber(at), 1)
        return nothing
      },
      insert: ([at = null, value = null]) => {
        items.splice(toNumber(at), 0, value)
        return nothing
      },
      clear: () => {
        items.length = 0
        return nothing
      },
      contains: ([value = null]) => items.some(it => textOf(it) === textOf(value)),
      toarray: () => [...items],
      item: ([at = null]) => items[toNumber(at)] ?? null,
    },
    inner: items,
    text: () => items.map(it => textOf(it)).join(' '),
  })
}

function stringBuilder(start: string): NetObject {
  let text = start
  const self: NetObject = new NetObject('System.Text.StringBuilder', {
    get: { length: () => text.length, capacity: () => Math.max(16, text.length) },
    methods: {
      append: ([value = null, count = null]) => {
        text += count === null ? textOf(value) : textOf(value).repeat(toNumber(count))
        return self
      },
      appendline: ([value = null]) => {
        text += `${textOf(value)}\r\n`
        return self
      },
      appendformat: ([format = null, ...rest]) => {
        const done = composite(textOf(format), rest)
        if (done === undefined)
          throw methodFailure(
            'AppendFormat',
            rest.length + 1,
            'Index (zero based) must be greater than or equal to zero and less than the size of the argument list.',
            'System.FormatException',
          )
        text += done
        return self
      },
      clear: () => {
        text = ''
        return self
      },
      tostring: () => text,
    },
    text: () => text,
  })
  return self
}
