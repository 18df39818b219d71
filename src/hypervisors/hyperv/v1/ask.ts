import { randomBytes } from 'node:crypto'
import { InternalError } from '../../../config/errors.js'
import type { HostConnection } from '../../shared/connection.js'
import { type CallOptions, hostCommands, hostError, read } from '../../shared/host-commands.js'
import { type Ask, HostRefused, type HyperVMachine } from '../ask.js'
import { describeResult } from '../results.js'
import { type Answer, parseAnswer } from './answer.js'
import { hostScript, scriptTexts } from './script.js'

/** Windows Script Host ends a script that runs on so long after nobody waits for it any more. */
const marginSec = 30
/** More arguments than this do not fit a line of cmd, with the frame around it. */
const longestArguments = 6_000

/** What asks a host of 2008 or 2008 R2, and removes its script from there. */
export interface HostScriptAccess {
  readonly ask: Ask
  close(): Promise<void>
}

/** Each question is one cscript, which carries out one text of the script that was carried to the host before. */
export function openScript(connection: HostConnection<HyperVMachine>, host: string): HostScriptAccess {
  const commands = hostCommands(connection, host)
  const carried = new Map<HyperVMachine, Promise<string>>()
  const carry = (machine: HyperVMachine): Promise<string> => {
    const carrying = carried.get(machine) ?? carryScript(machine)
    carried.set(machine, carrying)
    carrying.catch(() => carried.delete(machine))
    return carrying
  }
  const ask: Ask = async (name, args, call) => {
    const text = scriptTexts[name]
    if (text === undefined) {
      throw new InternalError(`a host of 2008 cannot be asked for "${name}"`)
    }
    const { where, limit } = call
    const nonce = randomBytes(8).toString('hex')
    const given = args.map(escapeArgument).join(' ')
    if (given.length > longestArguments) {
      throw hostError(where, `${where} on ${host}: ${text.name}: its arguments fit no line of cmd`)
    }
    const file = await carry(await connection.machine(call.signal))
    const seconds = Math.ceil(limit.ms / 1000) + marginSec
    const line = `${cscript(file, seconds)} ${nonce} ${text.name} ${given}`.trimEnd()
    const { stdout, stderr } = await commands.run(line, call)
    const answer = read(output => parseAnswer(output, nonce), `${stdout.text}${stderr}`, host)
    if ('rows' in answer) {
      return answer.rows
    }
    throw refusedBy(answer.error, `${where} on ${host}: ${text.name}`, call)
  }
  return {
    ask,
    close: async () => {
      const machine = connection.current
      const file = machine === null ? undefined : await carried.get(machine)?.catch(() => undefined)
      // One that cannot be removed is no trouble: another run writes its own.
      await machine?.run(`if exist "${file}" del "${file}"`).catch(() => {})
    },
  }
}

/** The line that runs the script, for at most so many seconds. */
export function cscript(file: string, seconds: number): string {
  return `%SystemRoot%\\System32\\cscript.exe //NoLogo //E:JScript //T:${seconds} "${file}"`
}

/** Writes the script into a file of a name that nobody can have foreseen. */
async function carryScript(machine: HyperVMachine): Promise<string> {
  const folder = await machine.temporaryFolder()
  const file = `${folder}\\gc-hyperv-${randomBytes(8).toString('hex')}.js`
  await machine.writeFile(file, Buffer.from(hostScript.replaceAll('\n', '\r\n'), 'latin1'))
  return file
}

/** An argument in characters that neither cmd nor the C runtime reads as anything else; `_` and four digits for others. */
export function escapeArgument(text: string): string {
  const escaped = text.replace(
    /[^A-Za-z0-9.-]/g,
    char => `_${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return `.${escaped}`
}

/** Errors of JScript itself (facility 10): the script is wrong, and no host. */
const ofScript = /^800A/
/** WBEM_E_INVALID_NAMESPACE, and what GetObject makes of it. */
const withoutNamespace = /^8004100E$/

function refusedBy(
  { id, code, message }: NonNullable<Extract<Answer, { error: unknown }>['error']>,
  said: string,
  { where }: CallOptions,
): HostRefused {
  const what = id === 'Return' ? `${message} returned ${describeResult(code)}` : message
  const hint = withoutNamespace.test(code)
    ? '; root\\virtualization is of hosts from 2008 to 2012 that have the Hyper-V role'
    : ''
  const shown = id === 'Script' && code !== '' ? ` (0x${code})` : id === 'Job' ? ` (error code ${code})` : ''
  const isOurs = id === 'Script' && ofScript.test(code)
  return new HostRefused(`${said}: ${what.trim()}${shown}${hint}`, { id, hresult: code, message }, where, {
    isOurs,
  })
}
