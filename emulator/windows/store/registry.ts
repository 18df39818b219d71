export type RegistryType =
  | 'REG_SZ'
  | 'REG_EXPAND_SZ'
  | 'REG_MULTI_SZ'
  | 'REG_DWORD'
  | 'REG_QWORD'
  | 'REG_BINARY'

export interface RegistryValue {
  readonly name: string
  readonly type: RegistryType
  readonly data: string | number | bigint | readonly string[] | Buffer
}

export interface RegistryKey {
  readonly name: string
  readonly keys: Map<string, RegistryKey>
  readonly values: Map<string, RegistryValue>
}

const hives: Readonly<Record<string, string>> = {
  HKLM: 'HKEY_LOCAL_MACHINE',
  HKCU: 'HKEY_CURRENT_USER',
  HKCR: 'HKEY_CLASSES_ROOT',
  HKU: 'HKEY_USERS',
  HKCC: 'HKEY_CURRENT_CONFIG',
}

/** The full name of a hive by either of its names; undefined when there is no such hive. */
export function hiveName(name: string): string | undefined {
  const upper = name.toUpperCase()
  return hives[upper] ?? Object.values(hives).find(it => it === upper)
}

function makeKey(name: string): RegistryKey {
  return { name, keys: new Map(), values: new Map() }
}

/** Values are replaced and never changed, so copies share them. */
function copyKey({ name, keys, values }: RegistryKey): RegistryKey {
  return {
    name,
    keys: new Map([...keys].map(([path, key]) => [path, copyKey(key)])),
    values: new Map(values),
  }
}

/** The registry of one guest: one tree, found in any case. */
export class Registry {
  readonly #roots = new Map<string, RegistryKey>(
    Object.values(hives).map(name => [name, makeKey(name)] as const),
  )

  readonly #denied = new Set<string>()

  /** The same keys and values once more. */
  copy(): Registry {
    const copy = new Registry()
    for (const [name, key] of this.#roots) copy.#roots.set(name, copyKey(key))
    for (const path of this.#denied) copy.#denied.add(path)
    return copy
  }

  /** From now on, whoever opens this key is told that access is denied. */
  deny(path: string): void {
    this.#denied.add(this.spell(path).toLowerCase())
  }

  /** Whether access to the key at a path is denied. */
  isDenied(path: string): boolean {
    const spelled = this.spell(path).toLowerCase()
    return [...this.#denied].some(key => spelled === key || spelled.startsWith(`${key}\\`))
  }

  /** The key at a path such as `HKLM\SOFTWARE`; undefined when there is none. */
  find(path: string): RegistryKey | undefined {
    const [hive = '', ...parts] = path.split('\\').filter(part => part !== '')
    let key = this.#roots.get(hiveName(hive) ?? '')
    for (const part of parts) key = key?.keys.get(part.toLowerCase())
    return key
  }

  /** The path as the registry spells it. */
  spell(path: string): string {
    const [hive = '', ...parts] = path.split('\\').filter(part => part !== '')
    let key = this.#roots.get(hiveName(hive) ?? '')
    const names = [hiveName(hive) ?? hive]
    for (const part of parts) {
      key = key?.keys.get(part.toLowerCase())
      names.push(key?.name ?? part)
    }
    return names.join('\\')
  }

  /** The key at a path, made with those above it. */
  make(path: string): RegistryKey {
    const [hive = '', ...parts] = path.split('\\').filter(part => part !== '')
    let key = this.#roots.get(hiveName(hive) ?? '')
    if (!key) throw new RangeError(`no hive ${hive}`)
    for (const part of parts) {
      let next: RegistryKey | undefined = key.keys.get(part.toLowerCase())
      if (!next) {
        next = makeKey(part)
        key.keys.set(part.toLowerCase(), next)
      }
      key = next
    }
    return key
  }

  set(path: string, name: string, type: RegistryType, data: RegistryValue['data']): void {
    this.make(path).values.set(name.toLowerCase(), { name, type, data })
  }

  get(path: string, name: string): RegistryValue | undefined {
    return this.find(path)?.values.get(name.toLowerCase())
  }

  /** The text of a value, for the emulator's own use. */
  text(path: string, name: string): string | undefined {
    const data = this.get(path, name)?.data
    return data === undefined || Buffer.isBuffer(data) || Array.isArray(data) ? undefined : String(data)
  }

  remove(path: string): boolean {
    const at = path.lastIndexOf('\\')
    return this.find(path.slice(0, at))?.keys.delete(path.slice(at + 1).toLowerCase()) ?? false
  }
}

/** How `reg query` shows a value's data. */
export function shownData({ type, data }: RegistryValue): string {
  if (Buffer.isBuffer(data)) return data.toString('hex').toUpperCase()
  if (Array.isArray(data)) return data.join('\\0')
  if (type === 'REG_DWORD' || type === 'REG_QWORD') return `0x${BigInt(data as number | bigint).toString(16)}`
  return String(data)
}
