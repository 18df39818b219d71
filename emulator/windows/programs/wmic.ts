import { type Call, complain, type Program } from '../system/context.js'
import { compareNt } from '../system/nt.js'
import { encode } from '../text/code-pages.js'
import { queryTexts } from '../text/tables.js'
import { select } from '../wmi/repository.js'
import { invalidQuery, WmiError, type WmiInstance, type WmiValue } from '../wmi/values.js'
import { parseCondition } from '../wmi/wql.js'
import { wmicAliases } from './wmic-aliases.js'

/** A value as wmic prints it. */
export function wmicText(value: WmiValue): string {
  if (value === null) return ''
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  if (Array.isArray(value))
    return `{${value.map(it => (typeof it === 'string' ? `"${it}"` : String(it))).join(', ')}}`.replaceAll(
      '", "',
      '","',
    )
  return String(value)
}

interface Request {
  readonly namespace: string
  readonly className: string
  readonly where: string | undefined
  readonly verb: string
  readonly names: readonly string[] | undefined
  readonly format: string
}

/** What wmic refuses before it asks WMI. */
class WmicProblem extends Error {}

/** Reads a command line of wmic. See learn.microsoft.com/windows/win32/wmisdk/wmic. */
function parse(call: Call): Request {
  let rest = call.tail.trim()
  let namespace = 'root\\cimv2'
  for (;;) {
    const option = /^\/(\w+)(?::("[^"]*"|\S+))?\s*/.exec(rest)
    if (!option) break
    const [whole, name = '', value = ''] = option
    if (/^namespace$/i.test(name)) namespace = value.replaceAll('"', '')
    else if (
      !/^(?:node|user|password|locale|trace|interactive|failfast|privileges|output|append|authlevel|implevel|record)$/i.test(
        name,
      )
    )
      throw new WmicProblem('Invalid Global Switch.')
    rest = rest.slice(whole.length)
  }
  const head = /^(path|class)\s+([\w]+)(?:\.(\w+=(?:"[^"]*"|'[^']*'|[^\s]+)))?\s*|^(\w+)\s*/i.exec(rest)
  if (!head) throw new WmicProblem('')
  const [whole, kind, path, key, alias] = head
  rest = rest.slice(whole.length)
  const known = alias === undefined ? undefined : wmicAliases[alias.toLowerCase()]
  if (alias !== undefined && !known) throw new WmicProblem(`${alias} - Alias not found.`)
  let condition = key ?? known?.where
  const where = /^where\s+(?:\(((?:[^()"']|"[^"]*"|'[^']*'|\([^()]*\))*)\)|"((?:[^"]|"")*)"|(\S+))\s*/i.exec(
    rest,
  )
  if (where) {
    const text = where[1] ?? where[2] ?? where[3] ?? ''
    condition = condition === undefined ? text : `(${condition}) AND (${text})`
    rest = rest.slice(where[0].length)
  }
  const verb = /^(get|list|call|set|delete|create|assoc)\b\s*/i.exec(rest)
  if (rest !== '' && !verb && !/^\//.test(rest)) throw new WmicProblem('Unexpected switch at this level.')
  if (verb) rest = rest.slice(verb[0].length)
  const format = /\/(?:(value)|format:\s*"?(?:[^"\s]*\\)?(\w+)(?:\.xsl)?"?)/i.exec(rest)
  const properties = rest.replace(/\/\S+.*$/, '').trim()
  return {
    namespace,
    className: path ?? known?.className ?? '',
    where: condition,
    verb: (verb?.[1] ?? (kind === undefined ? 'list' : 'get')).toLowerCase(),
    names:
      properties === '' || properties === '*' || /^(?:brief|full|status|writeable)\b/i.test(properties)
        ? undefined
        : properties
            .split(',')
            .map(it => it.trim())
            .filter(it => it !== ''),
    format:
      format?.[1] !== undefined || /^full\b/i.test(properties)
        ? 'list'
        : (format?.[2] ?? 'table').toLowerCase(),
  }
}

/** wmic.exe. To a pipe its lines end in CR CR LF; into a file it writes UTF-16. */
export const wmic: Program = async call => {
  const { io, system, console, process } = call
  const write = async (text: string): Promise<void> => {
    const toFile = io.stdout.kind === 'file'
    const bytes = toFile
      ? Buffer.concat([Buffer.from([0xff, 0xfe]), encode(text, 1200)])
      : encode(text.replaceAll('\r\n', '\r\r\n'), console.codePage)
    await io.stdout.write(bytes, process.signal)
  }
  try {
    const request = parse(call)
    if (request.verb !== 'get' && request.verb !== 'list') throw new WmicProblem('Invalid Verb.')
    let condition: ReturnType<typeof parseCondition> | undefined
    if (request.where !== undefined) condition = parseCondition(request.where.replace(/""/g, '"'))
    const result = await select(
      system,
      process,
      request.namespace,
      request.className,
      request.names,
      condition,
    )
    if (result.instances.length === 0) {
      await complain(call, 'No Instance(s) Available.\r\n')
      return 0
    }
    const names = result.properties
      .map(it => it.name)
      .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
    await write(formatted(request.format, names, result.instances, system.computerName, system.where.nt))
    return 0
  } catch (error) {
    if (error instanceof WmicProblem) {
      await complain(call, `${error.message}\r\n`)
      return 44125
    }
    if (!(error instanceof WmiError)) throw error
    const description = error.code === 0x80041017 ? queryTexts.invalidQuery : error.message
    await complain(call, `Node - ${system.computerName}\r\nERROR:\r\nDescription = ${description}\r\n`)
    return error.code >>> 0
  }
}

function formatted(
  format: string,
  names: readonly string[],
  instances: readonly WmiInstance[],
  node: string,
  nt: string,
): string {
  const text = (instance: WmiInstance, name: string): string => wmicText(instance.values.get(name) ?? null)
  switch (format) {
    case 'list':
      return `${instances.map(it => `\r\n\r\n${names.map(name => `${name}=${text(it, name)}\r\n`).join('')}`).join('')}\r\n\r\n`
    case 'csv': {
      const rows = instances.map(it =>
        [node, ...names.map(name => text(it, name).replaceAll(',', ';'))].join(','),
      )
      return `\r\n${['Node', ...names].join(',')}\r\n${rows.join('\r\n')}\r\n`
    }
    case 'rawxml':
    case 'xml':
      return `${instances.map(it => `<INSTANCE CLASSNAME="${it.definition.name}">${names.map(name => `<PROPERTY NAME="${name}"><VALUE>${text(it, name)}</VALUE></PROPERTY>`).join('')}</INSTANCE>`).join('')}\r\n`
    case 'table':
      return table(
        names,
        instances.map(it => names.map(name => text(it, name))),
        compareNt(nt, '5.2') <= 0,
      )
    default:
      throw invalidQuery()
  }
}

/** Columns are two wider than their widest cell. */
function table(names: readonly string[], rows: readonly (readonly string[])[], old: boolean): string {
  const widths = names.map(
    (name, column) => Math.max(name.length, ...rows.map(row => row[column]?.length ?? 0)) + 2,
  )
  const line = (cells: readonly string[]): string =>
    `${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('')}\r\n`
  return `${line(names)}${rows.map(line).join('')}${old ? '' : '\r\n'}`
}
