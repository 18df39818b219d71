import type { WinProcess } from '../store/processes.js'
import { compareNt, holds } from '../system/nt.js'
import type { WindowsSystem } from '../system/system.js'
import { providers } from './providers.js'
import {
  type ClassDefinition,
  invalidClass,
  invalidNamespace,
  invalidQuery,
  type PropertyDefinition,
  providerFailure,
  type WmiInstance,
  type WmiValue,
} from './values.js'
import { type Condition, fits, parseWql } from './wql.js'

const definitions = new WeakMap<object, Map<string, ClassDefinition>>()

/** The classes that this guest's version has, by their names in lower case. */
export function classesOf({ persona, where }: WindowsSystem): Map<string, ClassDefinition> {
  const known = definitions.get(persona)
  if (known) return known
  const made = new Map<string, ClassDefinition>()
  for (const [name, fact] of Object.entries(persona.classes)) {
    if (!holds(fact, where)) continue
    const properties: PropertyDefinition[] = []
    for (const line of fact.properties.trim().split('\n')) {
      const [property = '', type = 'string', since] = line.trim().split(/\s+/)
      if (since === undefined || compareNt(where.nt, since) >= 0) properties.push({ name: property, type })
    }
    const { key, singleton, namespace } = fact
    made.set(name.toLowerCase(), { name, key, singleton, namespace: namespace.toLowerCase(), properties })
  }
  definitions.set(persona, made)
  return made
}

/** A namespace as the repository spells it: `root\cimv2`. */
export function normalNamespace(namespace: string): string {
  const clean = namespace
    .replaceAll('/', '\\')
    .replace(/^\\\\(?:\.|[^\\]+\\(?=root))/i, '')
    .replace(/^\\+/, '')
    .toLowerCase()
  return clean === '' ? 'root\\cimv2' : clean
}

/** The definition of a class. Throws WmiError. */
export function needClass(system: WindowsSystem, namespace: string, name: string): ClassDefinition {
  const wanted = normalNamespace(namespace)
  const all = classesOf(system)
  if (wanted !== 'root\\default' && ![...all.values()].some(it => it.namespace === wanted))
    throw invalidNamespace()
  const found = all.get(name.toLowerCase())
  if (!found || found.namespace !== wanted) throw invalidClass()
  return found
}

/** All instances of a class, whole. Takes as long as the persona says. Throws WmiError. */
export async function instancesOf(
  system: WindowsSystem,
  process: WinProcess,
  namespace: string,
  name: string,
): Promise<WmiInstance[]> {
  const definition = needClass(system, namespace, name)
  const { state, objects } = system.persona
  if (state.brokenClasses.some(it => it.toLowerCase() === name.toLowerCase())) throw providerFailure()
  const slow = Object.entries(state.slowClasses).find(([it]) => it.toLowerCase() === name.toLowerCase())
  if (slow) await process.sleep(slow[1])
  system.used.add(`classes ${definition.name}`)
  if (definition.name in objects) system.used.add(`objects ${definition.name}`)
  const over = objects[definition.name]
  const constant = over && holds(over, system.where) ? over.values : {}
  if (state.emptyClasses.some(it => it.toLowerCase() === name.toLowerCase())) return []
  const rows = providers[definition.name]?.(system) ?? []
  return rows.map(row => {
    const values = new Map<string, WmiValue>()
    for (const property of definition.properties) {
      const { name: key } = property
      const value = Object.hasOwn(constant, key) ? constant[key] : row[key]
      values.set(key, coerce(value as WmiValue | undefined, property.type))
    }
    return { definition, values }
  })
}

/** 64-bit numbers are big, so that they are told from the others. */
function coerce(value: WmiValue | undefined, type: string): WmiValue {
  if (value === undefined || value === null) return null
  if ((type === 'uint64' || type === 'sint64') && typeof value === 'number') return BigInt(Math.round(value))
  return value
}

/** The property of a definition in its own spelling. */
export function propertyOf(definition: ClassDefinition, name: string): PropertyDefinition | undefined {
  return definition.properties.find(it => it.name.toLowerCase() === name.toLowerCase())
}

/** What a query gives: its instances and the properties that it asked for (all when none are named). */
export interface QueryResult {
  readonly definition: ClassDefinition
  readonly instances: readonly WmiInstance[]
  readonly properties: readonly PropertyDefinition[]
}

/** Answers a WQL query. Throws WmiError. */
export async function queryWmi(
  system: WindowsSystem,
  process: WinProcess,
  namespace: string,
  text: string,
): Promise<QueryResult> {
  const query = parseWql(text)
  return select(system, process, namespace, query.from, query.select, query.where)
}

/** Selects instances by a condition. Throws WmiError: a property that the class lacks makes the query invalid. */
export async function select(
  system: WindowsSystem,
  process: WinProcess,
  namespace: string,
  className: string,
  names: readonly string[] | undefined,
  where: Condition | undefined,
): Promise<QueryResult> {
  const definition = needClass(system, namespace, className)
  const properties = names
    ? names
        .filter(name => !name.startsWith('__'))
        .map(name => {
          const property = propertyOf(definition, name)
          if (!property) throw invalidQuery()
          return property
        })
    : definition.properties
  const instances = await instancesOf(system, process, namespace, className)
  const kept = where ? instances.filter(instance => fits(where, instance) === true) : instances
  return { definition, instances: kept, properties }
}
