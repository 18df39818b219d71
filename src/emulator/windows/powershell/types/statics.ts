import { randomUUID } from 'node:crypto'
import { cast, toNumber, versionObject } from '../convert.js'
import { formatDate } from '../dates.js'
import { ExitSignal, methodFailure } from '../errors.js'
import { composite } from '../numbers.js'
import { equal, regex } from '../operators.js'
import { environmentOf } from '../places.js'
import { collect, type Frame } from '../runtime.js'
import { textOf } from '../text.js'
import {
  collapse,
  isArray,
  itemsOf,
  NetObject,
  nothing,
  PsDate,
  PsHash,
  ScriptBlock,
  type Value,
} from '../values.js'
import { consoleMember, consoleMethod } from './console.js'
import { digestOf, encodingNamed } from './encodings.js'
import { fileStatics } from './files.js'
import { processStatics } from './processes.js'
import { registryHive, registryStatics } from './registry.js'
import { makePool, makePowerShell } from './runspaces.js'

export type Statics = Readonly<
  Record<string, (args: readonly Value[], frame: Frame) => Value | Promise<Value>>
>

const text = (args: readonly Value[], index: number): string => textOf(args[index] ?? null)

/** The guest's time now. */
export function nowOf({ shell }: Frame, kind: 'Utc' | 'Local'): PsDate {
  const ms = shell.call.system.clock.wallMs()
  return new PsDate(ms, kind, shell.offsetMinutes(ms))
}

/** Static properties of types that scripts may read; undefined where there is none. */
export function staticMember(type: string, name: string, frame: Frame): Value | undefined {
  const { call } = frame.shell
  const { system } = call
  switch (`${type.toLowerCase()}.${name}`) {
    case 'system.datetime.utcnow':
      return nowOf(frame, 'Utc')
    case 'system.datetime.now':
      return nowOf(frame, 'Local')
    case 'system.datetime.today': {
      const now = nowOf(frame, 'Local')
      return new PsDate(now.ms - ((now.ms + now.offset * 60_000) % 86_400_000), 'Local', now.offset)
    }
    case 'system.environment.machinename':
      return system.computerName
    case 'system.environment.username':
      return call.process.user
    case 'system.environment.newline':
      return '\r\n'
    case 'system.environment.processorcount':
      return system.machine.live.vcpus
    case 'system.environment.tickcount':
      return Number(system.clock.uptimeNs() / 1_000_000n) | 0
    case 'system.environment.is64bitoperatingsystem':
    case 'system.environment.is64bitprocess':
      return frame.shell.major >= 3 ? system.persona.os.bits === 64 : undefined
    case 'system.environment.userinteractive':
      return false
    case 'system.environment.commandline':
      return call.process.line
    case 'system.environment.currentdirectory':
      return call.cwd
    case 'system.environment.systemdirectory':
      return `${system.persona.os.systemRoot}\\system32`
    case 'system.environment.version':
      return versionObject(system.persona.powershell?.clr ?? '')
    case 'system.environment.osversion': {
      const { nt, build, servicePack } = system.persona.os
      const version = `${nt}.${build}.${servicePack * 65_536}`
      return new NetObject('System.OperatingSystem', {
        get: {
          version: () => versionObject(version),
          platform: () => 'Win32NT',
          servicepack: () => (servicePack > 0 ? `Service Pack ${servicePack}` : ''),
          versionstring: () => `Microsoft Windows NT ${version}`,
        },
        text: () => `Microsoft Windows NT ${version}`,
      })
    }
    case 'system.int32.maxvalue':
      return 2_147_483_647
    case 'system.int32.minvalue':
      return -2_147_483_648
    case 'system.int64.maxvalue':
      return 9_223_372_036_854_775_807n
    case 'system.uint32.maxvalue':
      return 4_294_967_295
    case 'system.math.pi':
      return Math.PI
    case 'system.string.empty':
      return ''
    case 'system.globalization.cultureinfo.invariantculture':
      return culture('')
    case 'system.globalization.cultureinfo.currentculture':
    case 'system.globalization.cultureinfo.currentuiculture':
    case 'system.globalization.cultureinfo.installeduiculture':
      return culture('en-US')
    case 'system.timezone.currenttimezone':
    case 'system.timezoneinfo.local':
      return timeZone(frame)
    case 'system.diagnostics.stopwatch.frequency':
      return 10_000_000n
    default:
      return (
        registryHive(type, name, frame) ??
        consoleMember(type, name, frame) ??
        encodingNamed(type, name) ??
        enumeration(type, name)
      )
  }
}

/** Enumerations are their names. */
function enumeration(type: string, name: string): Value | undefined {
  if (
    /(?:stringsplitoptions|stringcomparison|registryvaluekind|registryvalueoptions|windowsbuiltinrole|filemode|fileaccess|fileshare|registryview|registryhive|datetimekind|regexoptions|dayofweek|servicecontrollerstatus)$/i.test(
      type,
    )
  )
    return name.slice(0, 1).toUpperCase() + name.slice(1)
  return undefined
}

function culture(name: string): NetObject {
  return new NetObject('System.Globalization.CultureInfo', {
    get: {
      name: () => name,
      lcid: () => (name === '' ? 127 : 1033),
      displayname: () => (name === '' ? 'Invariant Language (Invariant Country)' : 'English (United States)'),
    },
    text: () => name,
  })
}

function timeZone({ shell }: Frame): NetObject {
  const { facts } = shell.call.system.zone
  return new NetObject('System.TimeZoneInfo', {
    get: {
      id: () => facts.key,
      displayname: () => facts.caption,
      standardname: () => facts.standardName,
      daylightname: () => facts.daylightName,
    },
    text: () => facts.caption,
  })
}

const math: Statics = {
  round: ([value = null, digits = null]) => {
    const scale = 10 ** toNumber(digits)
    const number = toNumber(value) * scale
    const floor = Math.floor(number)
    return (number - floor === 0.5 ? (floor % 2 === 0 ? floor : floor + 1) : Math.round(number)) / scale
  },
  floor: ([value = null]) => Math.floor(toNumber(value)),
  ceiling: ([value = null]) => Math.ceil(toNumber(value)),
  truncate: ([value = null]) => Math.trunc(toNumber(value)),
  abs: ([value = null]) =>
    typeof value === 'bigint' ? (value < 0n ? -value : value) : Math.abs(toNumber(value)),
  min: ([a = null, b = null]) => (toNumber(a) <= toNumber(b) ? a : b),
  max: ([a = null, b = null]) => (toNumber(a) >= toNumber(b) ? a : b),
  pow: ([a = null, b = null]) => toNumber(a) ** toNumber(b),
  sqrt: ([a = null]) => Math.sqrt(toNumber(a)),
}

const strings: Statics = {
  join: ([separator = null, ...rest]) =>
    (rest.length === 1 && isArray(rest[0] ?? null) ? itemsOf(rest[0] ?? null) : rest)
      .map(it => textOf(it))
      .join(textOf(separator)),
  isnullorempty: args => text(args, 0) === '',
  isnullorwhitespace: args => text(args, 0).trim() === '',
  format: ([format = null, ...rest]) =>
    composite(
      textOf(format),
      rest.length === 1 && isArray(rest[0] ?? null) ? itemsOf(rest[0] ?? null) : rest,
    ) ?? '',
  concat: args => args.map(it => textOf(it)).join(''),
  equals: args => equal(args[0] ?? null, args[1] ?? null, true),
  compare: args => (text(args, 0) < text(args, 1) ? -1 : text(args, 0) > text(args, 1) ? 1 : 0),
  new: args =>
    typeof args[1] === 'number'
      ? text(args, 0).repeat(args[1])
      : itemsOf(args[0] ?? null)
          .map(it => textOf(it))
          .join(''),
}

const converts: Statics = {
  tobase64string: ([bytes = null]) => Buffer.from(itemsOf(bytes).map(it => toNumber(it))).toString('base64'),
  frombase64string: args => {
    const given = text(args, 0).replace(/\s/g, '')
    if (given.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(given))
      throw methodFailure(
        'FromBase64String',
        1,
        'Invalid length for a Base-64 char array or string.',
        'System.FormatException',
      )
    return Buffer.from(given, 'base64')
  },
  toint32: ([value = null, base = null]) =>
    base === null ? Math.trunc(toNumber(value)) : Number.parseInt(textOf(value), toNumber(base)),
  tostring: ([value = null, base = null]) =>
    base === null ? textOf(value) : toNumber(value).toString(toNumber(base)),
  touint32: ([value = null, base = null]) =>
    Number.parseInt(textOf(value), base === null ? 10 : toNumber(base)),
  tobyte: ([value = null, base = null]) =>
    Number.parseInt(textOf(value), base === null ? 10 : toNumber(base)),
}

/** A match of [regex]. */
function matchObject(found: RegExpExecArray): NetObject {
  const group = (value: string | undefined): NetObject =>
    new NetObject('System.Text.RegularExpressions.Group', {
      get: {
        value: () => value ?? '',
        success: () => value !== undefined,
        length: () => (value ?? '').length,
      },
      text: () => value ?? '',
    })
  const groups = new PsHash()
  found.forEach((it, index) => {
    groups.set(index, group(it))
  })
  for (const [name, it] of Object.entries(found.groups ?? {})) groups.set(name, group(it))
  return new NetObject('System.Text.RegularExpressions.Match', {
    get: {
      value: () => found[0],
      success: () => true,
      index: () => found.index,
      length: () => found[0].length,
      groups: () => groups,
    },
    text: () => found[0],
  })
}

const noMatch = new NetObject('System.Text.RegularExpressions.Match', {
  get: { value: () => '', success: () => false, groups: () => new PsHash(), index: () => 0, length: () => 0 },
  text: () => '',
})

const flags = (value: Value | undefined): string =>
  /IgnoreCase/i.test(textOf(value ?? null)) || value === 1 ? 'i' : ''

const regexes: Statics = {
  replace: async ([input = null, pattern = null, by = null, options], frame) => {
    const expression = regex(textOf(pattern), `g${flags(options)}`)
    const source = textOf(input)
    if (!(by instanceof ScriptBlock))
      return source.replace(expression, textOf(by).replace(/\$\{(\w+)\}/g, '$<$1>'))
    let out = ''
    let last = 0
    for (const found of source.matchAll(expression)) {
      const groups = found as RegExpExecArray
      out +=
        source.slice(last, groups.index) +
        textOf(collapse(await collect(frame.shell, by, [matchObject(groups)], frame)))
      last = groups.index + groups[0].length
    }
    return out + source.slice(last)
  },
  ismatch: ([input = null, pattern = null, options]) =>
    regex(textOf(pattern), flags(options)).test(textOf(input)),
  match: ([input = null, pattern = null, options]) => {
    const found = regex(textOf(pattern), flags(options)).exec(textOf(input))
    return found ? matchObject(found) : noMatch
  },
  matches: ([input = null, pattern = null, options]) =>
    [...textOf(input).matchAll(regex(textOf(pattern), `g${flags(options)}`))].map(it =>
      matchObject(it as RegExpExecArray),
    ),
  split: ([input = null, pattern = null]) => textOf(input).split(regex(textOf(pattern), '')),
  escape: args => text(args, 0).replace(/[\\*+?|{[()^$.# \t]/g, it => (it === '\t' ? '\\t' : `\\${it}`)),
  unescape: args =>
    text(args, 0).replace(
      /\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|([tnrfvae])|([\s\S]))/gi,
      (_, unicode?: string, hex?: string, letter?: string, other?: string) => {
        if (unicode !== undefined || hex !== undefined)
          return String.fromCharCode(Number.parseInt(unicode ?? hex ?? '', 16))
        if (letter !== undefined)
          return (
            (
              { t: '\t', n: '\n', r: '\r', f: '\f', v: '\v', a: '\x07', e: '\x1b' } as Readonly<
                Record<string, string>
              >
            )[letter] ?? letter
          )
        return other ?? ''
      },
    ),
}

const dates: Statics = {
  parse: (args, { shell }) => cast(text(args, 0), 'datetime', ms => shell.offsetMinutes(ms)),
  parseexact: (args, { shell }) => cast(text(args, 0), 'datetime', ms => shell.offsetMinutes(ms)),
  isleapyear: ([year = null]) => new Date(Date.UTC(toNumber(year), 1, 29)).getUTCDate() === 29,
  new: dateOf,
}

/** `New-Object DateTime` and `[datetime]::new`. */
export function dateOf(args: readonly Value[], { shell }: Frame): Value {
  const [year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0] = args.map(it => toNumber(it))
  const kind = textOf(args[6] ?? null)
  const wall = Date.UTC(year, month - 1, day, hour, minute, second)
  if (/utc/i.test(kind)) return new PsDate(wall, 'Utc', 0)
  const offset = shell.offsetMinutes(wall)
  return new PsDate(wall - offset * 60_000, /local/i.test(kind) ? 'Local' : 'Unspecified', offset)
}

const environments: Statics = {
  exit: ([code = null]) => {
    throw new ExitSignal(toNumber(code) | 0)
  },
  getenvironmentvariable: (args, { shell }) => environmentOf(shell).get(text(args, 0)) ?? null,
  setenvironmentvariable: (args, { shell }) => {
    environmentOf(shell).set(text(args, 0), text(args, 1))
    return nothing
  },
  getfolderpath: (args, { shell }) =>
    /system/i.test(text(args, 0))
      ? `${shell.call.system.persona.os.systemRoot}\\system32`
      : (shell.call.env.get('USERPROFILE') ?? ''),
  expandenvironmentvariables: (args, { shell }) =>
    text(args, 0).replace(/%([^%]+)%/g, (whole, name: string) => environmentOf(shell).get(name) ?? whole),
}

const identities: Statics = {
  getcurrent: (_, { shell }) => {
    const { process, system } = shell.call
    const account = system.accounts.find(it => it.name.toLowerCase() === process.user.toLowerCase())
    return new NetObject('System.Security.Principal.WindowsIdentity', {
      get: {
        name: () => `${system.computerName}\\${process.user}`,
        user: () =>
          new NetObject('System.Security.Principal.SecurityIdentifier', {
            get: { value: () => account?.sid ?? 'S-1-5-18' },
            text: () => account?.sid ?? 'S-1-5-18',
          }),
        issystem: () => false,
      },
    })
  },
}

const groups: Readonly<Record<string, Statics>> = {
  'system.math': math,
  'system.string': strings,
  'system.convert': converts,
  'system.text.regularexpressions.regex': regexes,
  'system.datetime': dates,
  'system.environment': environments,
  'system.security.principal.windowsidentity': identities,
  'system.guid': { newguid: () => randomUUID(), parse: args => text(args, 0) },
  'system.threading.thread': {
    sleep: async ([ms = null], { shell }) => {
      await shell.call.process.sleep(toNumber(ms))
      return nothing
    },
  },
  'system.gc': { collect: () => nothing },
  'system.char': {
    isdigit: args => /^\d/.test(text(args, 0)),
    isletter: args => /^\p{L}/u.test(text(args, 0)),
  },
  'system.array': {
    reverse: ([list = null]) => {
      if (Array.isArray(list)) (list as Value[]).reverse()
      return nothing
    },
    indexof: ([list = null, item = null]) => itemsOf(list).findIndex(it => equal(it, item, true)),
  },
  'system.int32': { parse: args => cast(args[0] ?? null, 'int', () => 0) },
  'system.timespan': {
    frommilliseconds: ([value = null]) => cast(toNumber(value) * 10_000, 'timespan', () => 0),
    fromseconds: ([value = null]) => cast(toNumber(value) * 10_000_000, 'timespan', () => 0),
  },
  'system.bitconverter': {
    tostring: ([bytes = null]) =>
      itemsOf(bytes)
        .map(it => toNumber(it).toString(16).padStart(2, '0').toUpperCase())
        .join('-'),
  },
  'system.management.managementdatetimeconverter': {
    todatetime: (args, { shell }) => {
      const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{3})\d{3}([+-])(\d{3})$/.exec(text(args, 0))
      if (!match)
        throw methodFailure(
          'ToDateTime',
          1,
          'Specified argument was out of the range of valid values.\r\nParameter name: dmtfDate',
          'System.ArgumentOutOfRangeException',
        )
      const [, year, month, day, hour, minute, second, ms, sign, offset] = match
      const utc =
        Date.UTC(
          Number(year),
          Number(month) - 1,
          Number(day),
          Number(hour),
          Number(minute),
          Number(second),
          Number(ms),
        ) -
        (sign === '-' ? -1 : 1) * Number(offset) * 60_000
      return new PsDate(utc, 'Local', shell.offsetMinutes(utc))
    },
    todmtfdatetime: ([date = null]) =>
      date instanceof PsDate
        ? `${formatDate(date, 'yyyyMMddHHmmss.ffffff')}${date.offset < 0 ? '-' : '+'}${String(Math.abs(date.offset)).padStart(3, '0')}`
        : '',
  },
  'system.diagnostics.stopwatch': {
    startnew: (_, frame) => stopwatch(frame),
    gettimestamp: (_, { shell }) => shell.call.system.clock.uptimeNs() / 100n,
  },
  'system.management.automation.scriptblock': {
    create: async (args, { shell }) => shell.blockOf(text(args, 0)),
  },
  'system.management.automation.powershell': { create: (_, frame) => makePowerShell(frame) },
  'system.management.automation.runspaces.runspacefactory': {
    createrunspacepool: args => makePool(args),
    createrunspace: () => makePool([1, 1]),
  },
  'system.security.cryptography.sha256': { create: () => digestOf('sha256') },
  'system.security.cryptography.md5': { create: () => digestOf('md5') },
}

/** A Stopwatch that runs. */
export function stopwatch({ shell }: Frame): NetObject {
  const { clock } = shell.call.system
  let started = clock.uptimeNs()
  let stopped: bigint | undefined
  const elapsed = (): number => Number((stopped ?? clock.uptimeNs()) - started) / 1e6
  return new NetObject('System.Diagnostics.Stopwatch', {
    get: {
      elapsedmilliseconds: () => BigInt(Math.round(elapsed())),
      elapsed: () => cast(elapsed() * 10_000, 'timespan', () => 0),
      isrunning: () => stopped === undefined,
    },
    methods: {
      stop: () => {
        stopped ??= clock.uptimeNs()
        return nothing
      },
      restart: () => {
        started = clock.uptimeNs()
        stopped = undefined
        return nothing
      },
      start: () => nothing,
    },
  })
}

/** Calls a static method; undefined where the type has none of that name. Throws PsError. */
export async function staticMethod(
  type: string,
  name: string,
  args: readonly Value[],
  frame: Frame,
): Promise<Value | undefined> {
  const lower = type.toLowerCase()
  const method = (groups[lower] ?? fileStatics[lower] ?? processStatics[lower] ?? registryStatics[lower])?.[
    name
  ]
  if (method) return method(args, frame)
  if (lower === 'system.console') return consoleMethod(name, args, frame)
  if (/^system\.text\.encoding$/.test(lower) && name === 'getencoding')
    return encodingNamed(type, text(args, 0))
  if (name === 'new' && frame.shell.major >= 5) return frame.shell.newObject(type, args, frame)
  return undefined
}
