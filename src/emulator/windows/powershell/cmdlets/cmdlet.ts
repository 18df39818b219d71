import { FileError } from '../../store/files.js'
import { WmiError } from '../../wmi/values.js'
import { toNumber } from '../convert.js'
import { type ErrorFacts, errorRecord, fail, PsError } from '../errors.js'
import { remember } from '../remember.js'
import type { Frame, PowerShell } from '../runtime.js'
import { textOf } from '../text.js'
import { isTrue, itemsOf, type NetObject, type Value } from '../values.js'

/** What a cmdlet is called with. */
export interface CmdletCall extends Frame {
  readonly cmdlet: Cmdlet
  readonly input: readonly Value[]
  /** Whether it stands behind a `|`. */
  readonly piped: boolean
  readonly bound: Bound
  /** The value of a parameter; null when it is not given. */
  value(name: string): Value
  text(name: string): string | undefined
  list(name: string): readonly Value[]
  flag(name: string): boolean
  /** Tells of an error that need not end the script. */
  trouble(facts: ErrorFacts): Promise<void>
}

export interface Cmdlet {
  readonly name: string
  /** The first version of PowerShell that has it. */
  readonly since?: number
  /** Parameters, those that take a place first and in their order; `Name?` is a switch, `Name=` never takes a place. */
  readonly parameters: string
  run(call: CmdletCall): Promise<void>
}

export interface Bound {
  readonly values: ReadonlyMap<string, Value>
  readonly rest: readonly Value[]
}

interface Given {
  readonly name: string | undefined
  readonly value: Value
  readonly present: boolean
}

const common =
  'ErrorAction= EA= WarningAction= InformationAction= ErrorVariable= OutVariable= Verbose? Debug? Confirm? WhatIf?'
const shorthands: Readonly<Record<string, string>> = {
  ea: 'erroraction',
  wa: 'warningaction',
  ev: 'errorvariable',
  ov: 'outvariable',
  ns: 'namespace',
  cn: 'computername',
  class: 'class',
}

/** Binds arguments to a cmdlet's parameters, which may be cut short. Throws PsError. */
export function bind(cmdlet: Cmdlet, given: readonly Given[], _shell: PowerShell): Bound {
  const words = `${cmdlet.parameters} ${common}`.trim().split(/\s+/)
  const names = words.map(word => word.replace(/[?=]$/, ''))
  const values = new Map<string, Value>()
  const positional: Value[] = []
  for (let at = 0; at < given.length; at++) {
    const it = given[at]
    if (!it) continue
    if (it.name === undefined) {
      positional.push(it.value)
      continue
    }
    const wanted = shorthands[it.name.toLowerCase()] ?? it.name.toLowerCase()
    const exact = names.findIndex(name => name.toLowerCase() === wanted)
    const index = exact >= 0 ? exact : names.findIndex(name => name.toLowerCase().startsWith(wanted))
    const name = names[index]
    if (name === undefined)
      throw fail({
        message: `A parameter cannot be found that matches parameter name '${it.name}'.`,
        type: 'System.Management.Automation.ParameterBindingException',
        id: `NamedParameterNotFound,Microsoft.PowerShell.Commands.${cmdlet.name.replace('-', '')}Command`,
        category: 'InvalidArgument',
        activity: cmdlet.name,
      })
    if (words[index]?.endsWith('?')) {
      values.set(name.toLowerCase(), it.present ? isTrue(it.value) : true)
      continue
    }
    if (it.present) {
      values.set(name.toLowerCase(), it.value)
      continue
    }
    const next = given[at + 1]
    if (!next || next.name !== undefined)
      throw fail({
        message: `Missing an argument for parameter '${name}'. Specify a parameter of type 'System.String' and try again.`,
        type: 'System.Management.Automation.ParameterBindingException',
        id: `MissingArgument,Microsoft.PowerShell.Commands.${cmdlet.name.replace('-', '')}Command`,
        category: 'InvalidArgument',
        activity: cmdlet.name,
      })
    values.set(name.toLowerCase(), next.value)
    at++
  }
  const places = words.filter(word => !/[?=]$/.test(word))
  for (const place of places) {
    if (positional.length === 0) break
    if (!values.has(place.toLowerCase())) values.set(place.toLowerCase(), positional.shift() ?? null)
  }
  return { values, rest: positional }
}

/** Runs a cmdlet; its failures become errors of PowerShell. */
export async function runCmdlet(
  cmdlet: Cmdlet,
  bound: Bound,
  input: readonly Value[],
  frame: Frame,
  piped: boolean,
): Promise<void> {
  const { shell } = frame
  const value = (name: string): Value => bound.values.get(name.toLowerCase()) ?? null
  const action = value('ErrorAction') === null ? textOf(value('EA')) : textOf(value('ErrorAction'))
  const report = async (record: NetObject): Promise<void> => {
    const wish = action === '' ? textOf(frame.scope.get('ErrorActionPreference')) : action
    if (/^stop$/i.test(wish)) throw new PsError(record)
    shell.failures++
    if (/^ignore$/i.test(wish)) return
    remember(frame.scope, record)
    if (!/^silentlycontinue$/i.test(wish)) await frame.errors(record)
  }
  const call: CmdletCall = {
    ...frame,
    cmdlet,
    input,
    piped,
    bound,
    value,
    text: name => {
      const given = value(name)
      return given === null ? undefined : textOf(given)
    },
    list: name => {
      const given = value(name)
      return given === null ? [] : itemsOf(given)
    },
    flag: name => isTrue(value(name)),
    trouble: facts =>
      report(
        errorRecord({
          activity: cmdlet.name,
          ...facts,
          id: `${facts.id ?? 'Error'},Microsoft.PowerShell.Commands.${cmdlet.name.replace('-', '')}Command`,
        }),
      ),
  }
  await shell.call.system.breathe(shell.call.process)
  try {
    await cmdlet.run(call)
  } catch (error) {
    if (error instanceof WmiError) {
      const cim = /Cim/.test(cmdlet.name)
      await report(
        errorRecord({
          message: `${error.message} `,
          type: cim
            ? 'Microsoft.Management.Infrastructure.CimException'
            : 'System.Management.ManagementException',
          id: cim
            ? `HRESULT 0x${error.code.toString(16)},Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand`
            : 'GetWMIManagementException,Microsoft.PowerShell.Commands.GetWmiObjectCommand',
          category: cim ? 'MetadataError' : 'InvalidType',
          activity: cmdlet.name,
        }),
      )
    } else if (error instanceof FileError) {
      const denied = error.trouble === 'denied'
      await report(
        errorRecord({
          message: denied
            ? `Access to the path '${error.path}' is denied.`
            : `Cannot find path '${error.path}' because it does not exist.`,
          type: denied
            ? 'System.UnauthorizedAccessException'
            : 'System.Management.Automation.ItemNotFoundException',
          id: denied ? 'UnauthorizedAccess' : 'PathNotFound',
          category: denied ? 'PermissionDenied' : 'ObjectNotFound',
          target: error.path,
          activity: cmdlet.name,
        }),
      )
    } else throw error
  }
}

/** A whole number given to a parameter. */
export function wholeOf(value: Value): number | undefined {
  const number = value === null ? Number.NaN : toNumber(value)
  return Number.isNaN(number) ? undefined : Math.trunc(number)
}
