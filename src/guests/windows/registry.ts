import { InfraError } from '../../config/errors.js'
import type { WindowsMachine } from '../../remote/index.js'
import { commandText } from '../../remote/shells/windows/catalog.js'
import type { ServiceRow, ServiceValue } from '../../remote/shells/windows/service.js'
import { peerText } from '../../remote/trouble.js'
import { byEither } from './either.js'
import { unanswered } from './failure.js'

/** A value of the registry. REG_QWORD is `bigint`, REG_BINARY upper-case hexadecimal. */
export type RegistryValue =
  | { readonly kind: 'string' | 'expand-string' | 'binary'; readonly value: string }
  | { readonly kind: 'dword'; readonly value: number }
  | { readonly kind: 'qword'; readonly value: bigint }
  | { readonly kind: 'multi-string'; readonly value: readonly string[] }

/** One key. Names of values are as they are written; the default value's is ''. */
export interface RegistryKey {
  readonly values: ReadonlyMap<string, RegistryValue>
  readonly keys: readonly string[]
}

interface Asking {
  readonly signal?: AbortSignal
}

const hives: Readonly<Record<string, string>> = {
  HKLM: 'HKLM',
  HKEY_LOCAL_MACHINE: 'HKLM',
  HKU: 'HKU',
  HKEY_USERS: 'HKU',
}

/** Reads a key, `HKLM\…` or `HKU\…`; `null` when it is not there. Throws InfraError when it could not be asked for. */
export async function readRegistry(
  machine: WindowsMachine,
  path: string,
  options: Asking = {},
): Promise<RegistryKey | null> {
  const at = path.indexOf('\\')
  const hive = hives[path.slice(0, at).toUpperCase()]
  if (hive === undefined || /["%\r\n]/.test(path)) {
    throw new TypeError(`"${path}" is not a key: expected HKLM\\… or HKU\\…`)
  }
  const key = path.slice(at + 1)
  return byEither(
    machine,
    () => byPowerShell(machine, hive, key, options),
    () => byReg(machine, `${hive}\\${key}`, options),
  )
}

async function byPowerShell(
  machine: WindowsMachine,
  hive: string,
  key: string,
  options: Asking,
): Promise<RegistryKey | null> {
  const { rows, absent } = await machine.ask(['registry', hive, key], options)
  if (absent) {
    return null
  }
  const values = new Map<string, RegistryValue>()
  const keys: string[] = []
  for (const row of rows) {
    if (typeof row.key === 'string') {
      keys.push(row.key)
    } else {
      const value = fromPowerShell(row)
      if (value !== null && typeof row.name === 'string') {
        values.set(row.name, value)
      }
    }
  }
  return { values, keys }
}

function fromPowerShell({ kind, value }: ServiceRow): RegistryValue | null {
  switch (kind) {
    case 'String':
    case 'ExpandString':
      return {
        kind: kind === 'String' ? 'string' : 'expand-string',
        value: typeof value === 'string' ? value : '',
      }
    // .NET has signed numbers for what the registry keeps unsigned.
    case 'DWord':
      return { kind: 'dword', value: Number(value) >>> 0 }
    case 'QWord':
      return { kind: 'qword', value: BigInt.asUintN(64, BigInt(String(value))) }
    case 'MultiString':
      return { kind: 'multi-string', value: texts(value) }
    case 'Binary':
      return {
        kind: 'binary',
        value: texts(value)
          .map(byte => Number(byte).toString(16).padStart(2, '0'))
          .join('')
          .toUpperCase(),
      }
    default:
      return null
  }
}

function texts(value: ServiceValue | undefined): string[] {
  const list = Array.isArray(value) ? value : [value]
  return list.filter(item => typeof item === 'string')
}

async function byReg(machine: WindowsMachine, path: string, { signal }: Asking): Promise<RegistryKey | null> {
  if (!machine.look.tools.reg) {
    throw unanswered(machine, `${path} cannot be asked for: the guest has neither PowerShell nor reg`)
  }
  const line = commandText('reg-query', { KEY: path })
  const { exit, stdout, stderr } = await machine.run(line, signal === undefined ? {} : { signal })
  signal?.throwIfAborted()
  if (exit.kind === 'code' && exit.code === 0 && !stdout.truncated) {
    try {
      return parseReg(stdout.text, path)
    } catch (error) {
      throw unanswered(machine, error instanceof Error ? error.message : String(error))
    }
  }
  const said = stderr.text.trim() || stdout.text.trim()
  // Status 1 also means "access denied", and the words that tell are in the language of the guest.
  if (exit.kind === 'code' && exit.code === 1 && (await isAbsent(machine, path, signal))) {
    return null
  }
  const how = exit.kind === 'code' ? `status ${exit.code}` : exit.kind
  throw unanswered(machine, `${path} could not be read (${how}): ${peerText(said)}`)
}

/** Whether the key above says that there is no such key; false where that cannot be read either, and is there. */
async function isAbsent(machine: WindowsMachine, path: string, signal?: AbortSignal): Promise<boolean> {
  const at = path.lastIndexOf('\\')
  if (at < 0) {
    return false
  }
  const [above, name] = [path.slice(0, at), path.slice(at + 1).toLowerCase()]
  const options = signal === undefined ? {} : { signal }
  const { exit, stdout } = await machine.run(commandText('reg-query', { KEY: above }), options)
  signal?.throwIfAborted()
  if (exit.kind === 'code' && exit.code === 0 && !stdout.truncated) {
    return !parseReg(stdout.text, above).keys.some(key => key.toLowerCase() === name)
  }
  return exit.kind === 'code' && exit.code === 1 && isAbsent(machine, above, signal)
}

const kinds: Readonly<Record<string, RegistryValue['kind']>> = {
  REG_SZ: 'string',
  REG_EXPAND_SZ: 'expand-string',
  REG_BINARY: 'binary',
  REG_DWORD: 'dword',
  REG_QWORD: 'qword',
  REG_MULTI_SZ: 'multi-string',
}

/**
 * Reads what `reg query` printed. 2003 has tabs between the fields, later versions four blanks. A text goes on in the
 * lines below it, as it was written; line ends at its own end cannot be told from the empty line behind the values.
 * Throws InfraError (`command`) for a number that is none.
 */
export function parseReg(text: string, path: string): RegistryKey {
  const found: { name: string; kind: RegistryValue['kind']; data: string }[] = []
  const keys: string[] = []
  const above = path
    .replace(/^HKLM/i, 'HKEY_LOCAL_MACHINE')
    .replace(/^HKU/i, 'HKEY_USERS')
    .replace(/\\+$/, '')
  let last: { data: string } | null = null
  for (const line of text.split('\n')) {
    const [, name, type = '', data = ''] =
      /^ {4}(.*?)(?: {4}|\t)(REG_[A-Z_]+)(?:(?: {4}|\t)(.*))?$/.exec(line) ?? []
    const kind = kinds[type]
    if (name !== undefined && kind !== undefined) {
      const value = { name: /^(\(Default\)|<NO NAME>)$/.test(name) ? '' : name, kind, data }
      found.push(value)
      last = value
    } else if (name !== undefined) {
      last = null
    } else if (line.toLowerCase().startsWith(`${above.toLowerCase()}\\`)) {
      keys.push(line.slice(above.length + 1).trimEnd())
      last = null
    } else if (last !== null) {
      last.data += `\n${line}`
    }
  }
  const values = new Map(found.map(({ name, kind, data }) => [name, fromReg(path, name, kind, data)]))
  return { values, keys }
}

function fromReg(path: string, name: string, kind: RegistryValue['kind'], lines: string): RegistryValue {
  const data = lines.replace(/\n+$/, '')
  const number = (): string => {
    if (!/^0x[0-9a-f]{1,16}$/i.test(data.trim())) {
      const what = `the value "${name}" of ${path} is not a number: ${data.trim() || 'nothing'}`
      throw new InfraError(`reg: ${peerText(what)}`, { cause: 'guest', where: 'reg', code: 'command' })
    }
    return data.trim()
  }
  switch (kind) {
    case 'dword':
      return { kind, value: Number(number()) }
    case 'qword':
      return { kind, value: BigInt(number()) }
    case 'multi-string':
      return { kind, value: data.split('\\0').filter(item => item !== '') }
    case 'binary':
      return { kind, value: data.trim().toUpperCase() }
    default:
      return { kind, value: data }
  }
}
