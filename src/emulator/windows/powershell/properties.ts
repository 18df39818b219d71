import { fromWmi } from './text.js'
import { NetObject, PsHash, PsObject, type Value, WmiObject } from './values.js'

/** The properties of an object that formats, exports and Select-Object see, by name. */
export function propertiesOf(value: Value): { readonly name: string; readonly value: Value }[] {
  if (value instanceof PsObject) return value.list()
  if (value instanceof PsHash)
    return [...value.entries.values()].map(it => ({ name: String(it.key), value: it.value }))
  if (value instanceof WmiObject) {
    const { definition, values } = value.instance
    const names = value.names ?? definition.properties.map(it => it.name)
    const shown = [...names].sort((a, b) => (value.cim ? 0 : a.toLowerCase() < b.toLowerCase() ? -1 : 1))
    return shown.map(name => ({ name, value: fromWmi(values.get(name) ?? null, value.cim) }))
  }
  if (value instanceof NetObject)
    return Object.entries(value.get).map(([name, get]) => ({ name: spell(name), value: get() }))
  return []
}

const spellings: Readonly<Record<string, string>> = {
  displayname: 'DisplayName',
  servicename: 'ServiceName',
  starttype: 'StartType',
  processname: 'ProcessName',
  innerexception: 'InnerException',
}

function spell(name: string): string {
  return spellings[name] ?? name.slice(0, 1).toUpperCase() + name.slice(1)
}
