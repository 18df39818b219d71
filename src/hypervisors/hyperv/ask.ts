import { InfraError } from '../../config/errors.js'
import type { HostRequest, Machine, ServiceValue } from '../../remote/index.js'
import type { HostConnection } from '../shared/connection.js'
import { exchange } from '../shared/exchanges.js'
import type { CallOptions } from '../shared/host-commands.js'
import { powerShellTexts, type TextName } from './texts/index.js'
import type { HostText } from './texts/text.js'

/** One row that a text gave. */
export type Row = Readonly<Record<string, ServiceValue>>

/** A host's connection: a WindowsMachine is one. */
export interface HyperVMachine extends Machine {
  askHost(
    request: HostRequest,
    options: {
      readonly limitMs: number
      readonly limitName: string
      readonly signal: AbortSignal
      readonly what: string
    },
  ): Promise<{ readonly rows: readonly Row[] }>
  /** The system's folder for temporary files. */
  temporaryFolder(): Promise<string>
  writeFile(path: string, content: Buffer): Promise<void>
}

/** What the host refused, with what of its error does not depend on its language. */
export interface Refusal {
  /** `InvalidState,Microsoft.HyperV.PowerShell.Commands.StartVM` */
  readonly id: string
  /** Eight hexadecimal digits; empty where there is none. */
  readonly hresult: string
  readonly message: string
}

interface RefusalOptions {
  /** True where the text is wrong, and no host. */
  readonly isOurs: boolean
  readonly cause?: unknown
}

/** A text that ended with an error. */
export class HostRefused extends InfraError {
  readonly refusal: Refusal

  constructor(message: string, refusal: Refusal, where: string, { isOurs, cause }: RefusalOptions) {
    super(message, { cause: isOurs ? 'runner' : 'host', where, code: 'command' }, { cause })
    this.refusal = refusal
  }
}

/** Identifiers of errors that a text of ours has, and no host. */
const ours =
  /^(ParseException|NamedParameterNotFound|ParameterArgument|CannotConvertArgument|AmbiguousParameterSet|MissingMandatoryParameter|MethodNotFound|InvokeMethodOnNull|NullArray)/

/** What the script for 2008 says of it. */
const notFound = 'NotFound'

/** Whether an error says that no virtual machine has the identifier that was given. */
export function isNotFound(error: unknown): boolean {
  return (
    error instanceof HostRefused &&
    (error.refusal.id === notFound ||
      error.refusal.id.startsWith('InvalidParameter,Microsoft.HyperV.PowerShell.Commands.GetVM'))
  )
}

/** Has a text carried out on the host. Throws InfraError naming host and text, and whose fault it is. */
export type Ask = (text: TextName, args: readonly string[], call: CallOptions) => Promise<readonly Row[]>

/** Asks the PowerShell of a host, over its connection. */
export function askOver(connection: HostConnection<HyperVMachine>, host: string): Ask {
  const send: Ask = async (name, args, { signal, limit, where }) => {
    const text = powerShellTexts[name]
    const machine = await connection.machine(signal)
    try {
      const { rows } = await machine.askHost([text.columns.join(',') || 'none', text.text, ...args], {
        limitMs: limit.ms,
        limitName: limit.name,
        signal,
        what: text.name,
      })
      return rows
    } catch (error) {
      if (signal.aborted) {
        const message = `${where} on ${host}: ${text.name} was cancelled`
        throw new InfraError(message, { cause: 'runner', where, code: 'cancelled' })
      }
      // What became of PowerShell says less than what became of the connection.
      throw machine.lost.aborted ? machine.lost.reason : asTrouble(error, text, where, host)
    }
  }
  return heard(send, host, name => powerShellTexts[name].text)
}

/** The same, among what is heard of exchanges with hosts; `textOf` is what the host is sent. */
function heard(send: Ask, host: string, textOf: (name: TextName) => string): Ask {
  return (name, args, call) =>
    exchange(
      () => [textOf(name), ...args].join('\n'),
      () => send(name, args, call),
      {
        refused: why => {
          const { where } = call
          const message = `${where} on ${host}: ${name}: ${why}`
          throw new InfraError(message, { cause: 'host', where, code: 'command' })
        },
        show: rows => ({ status: 'rows', answer: rows.map(row => JSON.stringify(row)).join('\n') }),
      },
    )
}

function asTrouble(error: unknown, { name }: HostText, where: string, host: string): unknown {
  if (!(error instanceof InfraError) || error.context.code !== 'command') {
    return error
  }
  const [, id, hresult = '', message = ''] =
    /: PowerShell: ([^|]*)\|([0-9A-F]{8})?\|([\s\S]*)$/.exec(error.message) ?? []
  if (id === undefined) {
    return error
  }
  const isWithoutModule = id.startsWith('CommandNotFoundException') && message.includes('Hyper-V\\')
  const hint = isWithoutModule
    ? '; install the Hyper-V module: Install-WindowsFeature Hyper-V-PowerShell'
    : ''
  const code = hresult === '' ? '' : `, 0x${hresult}`
  const said = `${where} on ${host}: ${name}: ${message.trim()}${hint} (${id}${code})`
  return new HostRefused(said, { id, hresult, message }, where, { isOurs: ours.test(id), cause: error })
}
