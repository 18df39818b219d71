import type { RegistryKey, RegistryValue } from '../store/registry.js'
import type { Call } from '../system/context.js'
import { queryWmi } from '../wmi/repository.js'
import {
  CimDate,
  invalidClass,
  invalidNamespace,
  invalidQuery,
  WmiError,
  type WmiValue,
} from '../wmi/values.js'

/** Writes one line of an answer. */
export type Line = (text: string) => Promise<void>

/** Ticks of 100 ns from the year 1 to 1970. */
const epochTicks = 621_355_968_000_000_000n
const ticksPerMs = 10_000n

/** A value of a row. */
export type Cell = null | string | readonly Cell[]

/** Answers one request of the service. */
export async function answerRequest(
  call: Call,
  id: string,
  [op = '', ...args]: readonly string[],
  write: Line,
): Promise<void> {
  const row = (cells: Readonly<Record<string, Cell>>): Promise<void> =>
    write(`gc ${id} row ${escapeOdd(json(cells))}`)
  try {
    const rows =
      op === 'wmi'
        ? await wmiRows(call, args)
        : op === 'registry'
          ? registryRows(call, args)
          : nowRows(call, op)
    if (rows === undefined) return await write(`gc ${id} absent`)
    for (const cells of rows) await row(cells)
    await write(`gc ${id} end ${rows.length}`)
  } catch (error) {
    if (!(error instanceof Refusal) && !(error instanceof WmiError)) throw error
    const message = error instanceof WmiError ? wmiText(call, error, args) : error.message
    const word = error instanceof Refusal && error.isOurs ? 'fault' : 'error'
    await write(`gc ${id} ${word} ${escapeOdd(text(message))}`)
  }
}

type Rows = Readonly<Record<string, Cell>>[]

class Refusal extends Error {
  readonly isOurs: boolean

  constructor(message: string, isOurs: boolean) {
    super(message)
    this.isOurs = isOurs
  }
}

/** Texts of errors of WMI end in a blank. Get-WmiObject adds what was wrong (GetWMIObjectCommand.cs of PowerShell). */
function wmiText(
  { system }: Call,
  { code, message }: WmiError,
  [namespace = '', properties = '', from = '']: readonly string[],
): string {
  const wrong = hasCim(system)
    ? undefined
    : new Map([
        [invalidClass().code, from.split(' ')[0]],
        [invalidQuery().code, `SELECT ${properties} FROM ${from}`],
        [invalidNamespace().code, namespace],
      ]).get(code)
  return `${message} ${wrong === undefined ? '' : `"${wrong}"`}`
}

function hasCim({ persona }: Call['system']): boolean {
  return Number.parseInt(persona.powershell?.version ?? '5', 10) > 2
}

async function wmiRows(
  { system, process }: Call,
  [namespace = '', properties = '', from = '']: readonly string[],
): Promise<Rows> {
  const { instances, ...asked } = await queryWmi(
    system,
    process,
    namespace,
    `SELECT ${properties} FROM ${from}`,
  )
  const isCim = hasCim(system)
  const names = properties.split(',')
  return instances.map(({ values }) =>
    Object.fromEntries(
      asked.properties.map(({ name, type }, at) => [
        names[at] ?? name,
        cellOf(values.get(name) ?? null, type, isCim),
      ]),
    ),
  )
}

function cellOf(value: WmiValue, type: string, isCim: boolean): Cell {
  // CIM takes what is not known of a time for zero.
  if (isCim && type === 'datetime' && typeof value === 'string')
    return value.replace(/[-+]\*+$/, '+000').replaceAll('*', '0')
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (value instanceof CimDate) return isCim ? inUtc(value) : value.toString()
  if (Array.isArray(value)) return value.map(String)
  return String(value)
}

/** CIM's cmdlets hand out times of .NET, which the service writes in UTC. */
function inUtc(date: CimDate): string {
  const micros = /\.(\d{6})/.exec(date.toString())?.[1] ?? '000000'
  const digits = new Date(date.ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)
  return `${digits}.${micros}+000`
}

function registryRows({ system }: Call, [hive = '', path = '']: readonly string[]): Rows | undefined {
  const { registry, used } = system
  const whole = `${hive}\\${path}`
  used.add('registry')
  if (registry.isDenied(whole))
    throw new Refusal(
      'Exception calling "OpenSubKey" with "1" argument(s): "Requested registry access is not allowed."',
      false,
    )
  const key = registry.find(whole)
  return key && [...subkeys(key), ...[...key.values.values()].map(valueRow)]
}

function subkeys(key: RegistryKey): Rows {
  return [...key.keys.values()].map(({ name }) => ({ key: name, name: null, kind: null, value: null }))
}

const kinds = {
  REG_SZ: 'String',
  REG_EXPAND_SZ: 'ExpandString',
  REG_MULTI_SZ: 'MultiString',
  REG_DWORD: 'DWord',
  REG_QWORD: 'QWord',
  REG_BINARY: 'Binary',
} as const

/** A value as .NET gives it: numbers are signed. */
function valueRow({ name, type, data }: RegistryValue): Readonly<Record<string, Cell>> {
  const value =
    type === 'REG_DWORD'
      ? String(Number(data) | 0)
      : type === 'REG_QWORD'
        ? String(BigInt.asIntN(64, BigInt(data as bigint)))
        : Buffer.isBuffer(data)
          ? [...data].map(String)
          : Array.isArray(data)
            ? [...(data as readonly string[])]
            : String(data)
  return { key: null, name, kind: kinds[type], value }
}

function nowRows({ system }: Call, op: string): Rows {
  if (op !== 'now') throw new Refusal(op, true)
  const ms = system.clock.wallMs()
  return [{ ticks: String(BigInt(Math.floor(ms)) * ticksPerMs + epochTicks) }]
}

/** A row as the service writes it. */
export function json(cells: Readonly<Record<string, Cell>>): string {
  const cell = (value: Cell): string =>
    value === null ? 'null' : typeof value === 'string' ? text(value) : `[${value.map(cell).join(',')}]`
  return `{${Object.entries(cells)
    .map(([name, value]) => `"${name}":${cell(value)}`)
    .join(',')}}`
}

/** A text as the service writes it. */
export function text(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** What is not printable ASCII, as the service writes it. */
export function escapeOdd(line: string): string {
  return line.replace(/[^ -~]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
