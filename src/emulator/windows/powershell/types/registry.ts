import type { RegistryKey, RegistryValue } from '../../store/registry.js'
import { methodFailure } from '../errors.js'
import type { Frame } from '../runtime.js'
import { textOf } from '../text.js'
import { NetObject, nothing, type Value } from '../values.js'
import type { Statics } from './statics.js'

const hives: Readonly<Record<string, string>> = {
  localmachine: 'HKLM',
  currentuser: 'HKCU',
  classesroot: 'HKCR',
  users: 'HKU',
  currentconfig: 'HKCC',
}
const notAllowed = 'Requested registry access is not allowed.'
const kinds = {
  REG_SZ: 'String',
  REG_EXPAND_SZ: 'ExpandString',
  REG_MULTI_SZ: 'MultiString',
  REG_DWORD: 'DWord',
  REG_QWORD: 'QWord',
  REG_BINARY: 'Binary',
} as const

/** A registry value as .NET gives it: numbers are signed. */
export function registryValue(value: RegistryValue, expand: (text: string) => string): Value {
  const { type, data } = value
  if (type === 'REG_DWORD') return Number(data) | 0
  if (type === 'REG_QWORD') return BigInt.asIntN(64, BigInt(data as bigint))
  if (type === 'REG_EXPAND_SZ') return expand(String(data))
  if (
    typeof data === 'number' ||
    typeof data === 'bigint' ||
    typeof data === 'string' ||
    Buffer.isBuffer(data)
  )
    return data
  return [...data]
}

export function expanded(text: string, { shell }: Frame): string {
  return text.replace(/%([^%]+)%/g, (whole, name: string) => shell.call.env.get(name) ?? whole)
}

/** A RegistryKey that is open. */
export function openKey(path: string, key: RegistryKey, frame: Frame): NetObject {
  const { registry, used } = frame.shell.call.system
  used.add('registry')
  const find = (name: Value): RegistryValue | undefined => key.values.get(textOf(name).toLowerCase())
  return new NetObject('Microsoft.Win32.RegistryKey', {
    get: {
      name: () => registry.spell(path),
      subkeycount: () => key.keys.size,
      valuecount: () => key.values.size,
    },
    methods: {
      opensubkey: ([name = null]) => {
        const inner = `${path}\\${textOf(name)}`
        const found = registry.find(inner)
        if (registry.isDenied(inner))
          throw methodFailure('OpenSubKey', 1, notAllowed, 'System.Security.SecurityException')
        return found ? openKey(inner, found, frame) : null
      },
      getsubkeynames: () => [...key.keys.values()].map(it => it.name),
      getvaluenames: () => [...key.values.values()].map(it => it.name),
      getvalue: ([name = null, fallback = null, options = null]) => {
        const value = find(name)
        if (!value) return fallback
        const raw = /DoNotExpand/i.test(textOf(options)) || options === 1
        return registryValue(value, text => (raw ? text : expanded(text, frame)))
      },
      getvaluekind: ([name = null]) => {
        const value = find(name)
        return value
          ? new NetObject('Microsoft.Win32.RegistryValueKind', { text: () => kinds[value.type] })
          : null
      },
      setvalue: ([name = null, value = null]) => {
        registry.set(
          path,
          textOf(name),
          typeof value === 'number' ? 'REG_DWORD' : 'REG_SZ',
          typeof value === 'number' ? value >>> 0 : textOf(value),
        )
        return nothing
      },
      createsubkey: ([name = null]) =>
        openKey(`${path}\\${textOf(name)}`, registry.make(`${path}\\${textOf(name)}`), frame),
      deletesubkeytree: ([name = null]) => {
        registry.remove(`${path}\\${textOf(name)}`)
        return nothing
      },
      close: () => nothing,
      dispose: () => nothing,
    },
    text: () => registry.spell(path),
  })
}

/** `[Microsoft.Win32.Registry]::LocalMachine` and its like. */
export function registryHive(type: string, name: string, frame: Frame): Value | undefined {
  if (type.toLowerCase() !== 'microsoft.win32.registry') return undefined
  const hive = hives[name]
  const key = hive === undefined ? undefined : frame.shell.call.system.registry.find(hive)
  return hive && key ? openKey(hive, key, frame) : undefined
}

/** Statics of Microsoft.Win32. */
export const registryStatics: Readonly<Record<string, Statics>> = {
  'microsoft.win32.registrykey': {
    openbasekey: ([hive = null], frame) =>
      registryHive('Microsoft.Win32.Registry', textOf(hive).toLowerCase(), frame) ?? null,
  },
  'microsoft.win32.registry': {
    getvalue: ([path = null, name = null, fallback = null], frame) => {
      const value = frame.shell.call.system.registry.get(textOf(path), textOf(name))
      return value ? registryValue(value, text => expanded(text, frame)) : fallback
    },
  },
}
