import type { WindowsMachine } from '../../remote/index.js'
import { commandText } from '../../remote/shells/windows/catalog.js'
import { quoteForCmd } from '../../remote/shells/windows/quote.js'
import type { ServiceValue } from '../../remote/shells/windows/service.js'
import { parseWmicArray, wmicQuery } from '../../remote/shells/windows/wmic.js'
import { type CimType, type PropertyType, wmiClasses } from './classes.js'
import { byEither } from './either.js'
import { unanswered } from './failure.js'
import { type WmiValue, WmiValueError, wmiValue } from './values.js'

/** One object. A property that this version of Windows does not have is `null`. */
export type WmiObject = Readonly<Record<string, WmiValue>>

/** What is asked of a class. */
export interface WmiQuery {
  /** The properties; with their types where the class is none of ours. */
  readonly get: readonly string[] | Readonly<Record<string, CimType>>
  /** A WQL condition. */
  readonly where?: string
  /** `root\cimv2` if absent. */
  readonly namespace?: string
  readonly limitMs?: number
  readonly signal?: AbortSignal
}

const defaultNamespace = 'root\\cimv2'

/**
 * The objects of a class: by PowerShell where the guest has one that serves, else by wmic. Types are those of the class,
 * whoever answered. Throws TypeError for a property without a known type, InfraError for a question that failed; an
 * empty list is an answer.
 */
export async function queryWmi(machine: WindowsMachine, name: string, query: WmiQuery): Promise<WmiObject[]> {
  const version = ntVersion(machine)
  const known = wmiClasses[name]
  if (known?.since !== undefined && isBefore(version, known.since)) {
    throw unanswered(machine, `${name} came with Windows NT ${known.since}, and this is ${version}`)
  }
  if (known?.until !== undefined && !isBefore(version, known.until)) {
    throw unanswered(machine, `${name} went with Windows NT ${known.until}, and this is ${version}`)
  }
  const types = typesOf(name, query.get)
  const asked = Object.entries(types).filter(([, type]) => isThere(type, version))
  const properties = asked.map(([property]) => property)
  const rows = await byEither(
    machine,
    () => byPowerShell(machine, name, properties, query),
    () => byWmic(machine, name, properties, query),
  )
  return rows.map(row => {
    const object: Record<string, WmiValue> = {}
    for (const [property, type] of Object.entries(types)) {
      object[property] = propertyOf(machine, `${name}.${property}`, row[property] ?? null, type)
    }
    return object
  })
}

/** `6.1` of `6.1.7601`. */
export function ntVersion({ look }: Pick<WindowsMachine, 'look'>): string {
  return look.version.split('.').slice(0, 2).map(Number).join('.')
}

/** Whether a version of Windows NT is older than another, as `major.minor`. */
export function isBefore(version: string, than: string): boolean {
  const [[major = 0, minor = 0], [thanMajor = 0, thanMinor = 0]] = [
    version.split('.').map(Number),
    than.split('.').map(Number),
  ]
  return major < thanMajor || (major === thanMajor && minor < thanMinor)
}

function typesOf(name: string, get: WmiQuery['get']): Readonly<Record<string, PropertyType>> {
  if (!Array.isArray(get)) {
    return get as Readonly<Record<string, CimType>>
  }
  const types: Record<string, PropertyType> = {}
  for (const property of get as readonly string[]) {
    const type = wmiClasses[name]?.properties[property]
    if (type === undefined) {
      throw new TypeError(
        `the type of ${name}.${property} is not known: say it, as in get: { ${property}: 'string' }`,
      )
    }
    types[property] = type
  }
  return types
}

function isThere(type: PropertyType, version: string): boolean {
  return typeof type === 'string' || !isBefore(version, type.since)
}

type RawRow = Readonly<Record<string, ServiceValue | string>>

async function byPowerShell(
  machine: WindowsMachine,
  name: string,
  properties: readonly string[],
  { where, namespace = defaultNamespace, limitMs, signal }: WmiQuery,
): Promise<readonly RawRow[]> {
  const from = where === undefined ? name : `${name} WHERE ${where}`
  const { rows } = await machine.ask(['wmi', namespace, properties.join(','), from], {
    ...(limitMs === undefined ? {} : { limitMs }),
    ...(signal === undefined ? {} : { signal }),
  })
  return rows
}

async function byWmic(
  machine: WindowsMachine,
  name: string,
  properties: readonly string[],
  { where, namespace = defaultNamespace, limitMs, signal }: WmiQuery,
): Promise<readonly RawRow[]> {
  if (!machine.look.tools.wmic) {
    throw unanswered(machine, `${name} cannot be asked for: the guest has neither PowerShell nor wmic`)
  }
  const line = commandText('wmic-query', {
    NAMESPACE: namespace,
    CLASS: name,
    WHERE: where === undefined ? '' : `where ${quoteCondition(where)} `,
    PROPERTIES: properties.join(','),
  })
  const result = await machine.run(line, {
    ...(limitMs === undefined ? {} : { limitMs }),
    ...(signal === undefined ? {} : { signal }),
  })
  signal?.throwIfAborted()
  try {
    return wmicQuery(result, properties)
  } catch (error) {
    throw unanswered(machine, `${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Always in quotes: wmic takes an unquoted condition for something else. */
function quoteCondition(condition: string): string {
  const quoted = quoteForCmd(condition)
  return /["^]/.test(quoted) ? quoted : `"${quoted}"`
}

function propertyOf(
  machine: WindowsMachine,
  what: string,
  raw: ServiceValue | string,
  type: PropertyType,
): WmiValue {
  const plain = typeof type === 'string' ? type : type.type
  const text = typeof raw === 'string' && plain.endsWith('[]') ? (parseWmicArray(raw) ?? raw) : raw
  try {
    return wmiValue(text as string | readonly string[] | null, plain)
  } catch (error) {
    if (error instanceof WmiValueError) {
      throw unanswered(machine, `${what}: ${error.message}`)
    }
    throw error
  }
}
