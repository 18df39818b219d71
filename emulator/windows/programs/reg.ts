import { hiveName, type RegistryKey, type RegistryType, shownData } from '../store/registry.js'
import { type Call, complain, type Program, print } from '../system/context.js'
import { compareNt } from '../system/nt.js'

const missing = 'The system was unable to find the specified registry key or value.'

/** reg.exe: query, add, delete. See learn.microsoft.com/windows-server/administration/windows-commands/reg. */
export const reg: Program = async call => {
  const [verb = '', key = '', ...options] = call.args
  const old = compareNt(call.system.where.nt, '6.0') < 0
  const fail = async (text: string): Promise<number> => {
    await complain(call, `${old ? '\r\nError:  ' : 'ERROR: '}${text}\r\n`)
    return 1
  }
  const [hive = ''] = key.replace(/^\\\\\.\\/, '').split('\\')
  const path = key.replace(/^\\\\\.\\/, '').replace(/\\$/, '')
  switch (verb.toLowerCase()) {
    case 'query':
      return hiveName(hive) === undefined
        ? fail(old ? missing : 'Invalid key name.')
        : query(call, path, options, old, fail)
    case 'add':
      return hiveName(hive) === undefined ? fail('Invalid key name.') : add(call, path, options, old)
    case 'delete':
      return remove(call, path, options, old, fail)
    default:
      return fail(
        verb === ''
          ? 'Invalid syntax.\r\nType "REG /?" for usage.'
          : `Invalid argument/option - '${verb}'.\r\nType "REG /?" for usage.`,
      )
  }
}

function option(options: readonly string[], name: string): string | undefined {
  const at = options.findIndex(it => it.toLowerCase() === `/${name}`)
  return at < 0 ? undefined : (options[at + 1] ?? '')
}

async function query(
  call: Call,
  path: string,
  options: readonly string[],
  old: boolean,
  fail: (text: string) => Promise<number>,
): Promise<number> {
  const { registry } = call.system
  call.system.used.add('registry')
  const key = registry.find(path)
  if (!key) return fail(missing)
  if (registry.isDenied(path)) return fail('Access is denied.')
  const wanted = options.some(it => it.toLowerCase() === '/ve') ? '' : option(options, 'v')
  const deep = options.some(it => it.toLowerCase() === '/s')
  const head = old ? '\r\n! REG.EXE VERSION 3.0\r\n' : ''
  if (wanted !== undefined) {
    const value = key.values.get(wanted.toLowerCase())
    if (!value) return fail(missing)
    const one = new Map([[wanted, value]])
    await print(call, `${head}\r\n${block(registry.spell(path), { ...key, values: one }, old)}\r\n`)
    return 0
  }
  const texts: string[] = []
  const visit = (at: string, it: RegistryKey): void => {
    const spelled = registry.spell(at)
    if (it.values.size > 0 || old || deep) texts.push(`${block(spelled, it, old)}\r\n`)
    for (const child of it.keys.values()) {
      if (deep) visit(`${at}\\${child.name}`, child)
    }
  }
  visit(path, key)
  const subkeys = deep
    ? ''
    : [...key.keys.values()].map(it => `${registry.spell(path)}\\${it.name}\r\n`).join('')
  await print(call, `${head}\r\n${texts.join('')}${subkeys}`)
  return 0
}

/** A key and its values: four blanks between the fields, tabs before Vista. */
function block(name: string, key: RegistryKey, old: boolean): string {
  const gap = old ? '\t' : '    '
  const nameless = old ? '<NO NAME>' : '(Default)'
  const lines = [...key.values.values()].map(
    value => `    ${value.name || nameless}${gap}${value.type}${gap}${shownData(value)}\r\n`,
  )
  return `${name}\r\n${lines.join('')}`
}

async function add(call: Call, path: string, options: readonly string[], old: boolean): Promise<number> {
  const name = option(options, 'v') ?? (options.some(it => it.toLowerCase() === '/ve') ? '' : undefined)
  const { registry } = call.system
  registry.make(path)
  if (name !== undefined) {
    const type = (option(options, 't') ?? 'REG_SZ').toUpperCase() as RegistryType
    const data = option(options, 'd') ?? ''
    if (type === 'REG_DWORD') registry.set(path, name, type, Number(data) >>> 0)
    else if (type === 'REG_QWORD') registry.set(path, name, type, BigInt(data || '0'))
    else if (type === 'REG_MULTI_SZ') registry.set(path, name, type, data === '' ? [] : data.split('\\0'))
    else if (type === 'REG_BINARY') registry.set(path, name, type, Buffer.from(data, 'hex'))
    else registry.set(path, name, type, data)
  }
  await print(call, `${old ? '\r\n' : ''}The operation completed successfully.\r\n`)
  return 0
}

async function remove(
  call: Call,
  path: string,
  options: readonly string[],
  old: boolean,
  fail: (text: string) => Promise<number>,
): Promise<number> {
  const { registry } = call.system
  const name = option(options, 'v')
  const key = registry.find(path)
  const done = name === undefined ? registry.remove(path) : (key?.values.delete(name.toLowerCase()) ?? false)
  if (!done) return fail(missing)
  await print(call, `${old ? '\r\n' : ''}The operation completed successfully.\r\n`)
  return 0
}
