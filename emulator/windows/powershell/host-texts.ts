import type { Call } from '../system/context.js'
import { type Cell, escapeOdd, json, type Line, text } from './requests.js'

/** One row as a text gives it: columns by name. */
export type HostRow = Readonly<Record<string, Cell>>

/** What carries out the texts of a host's service: a hypervisor behind this machine. */
export interface HostTexts {
  /** Gives the rows of a text. Throws {@link HostRefusal}. */
  carryOut(text: string, args: readonly string[], sleep: (ms: number) => Promise<void>): Promise<HostRow[]>
  /** What cscript carries out on a host without PowerShell. */
  readonly script?: HostScript
}

/** The script of a host, told by name what to do. */
export interface HostScript {
  knows(script: string): boolean
  /** Gives the rows of a text. Throws {@link HostRefusal}. */
  carryOut(name: string, args: readonly string[], sleep: (ms: number) => Promise<void>): Promise<HostRow[]>
}

/** An error of a text, as a host tells it. */
export class HostRefusal extends Error {
  /** The FullyQualifiedErrorId. */
  readonly id: string
  /** Eight hexadecimal digits. */
  readonly hresult: string

  constructor(id: string, hresult: string, message: string) {
    super(message)
    this.id = id
    this.hresult = hresult
  }
}

/** Answers one request of a host's service. */
export async function answerHostRequest(
  call: Call,
  id: string,
  [columns = '', script = '', ...args]: readonly string[],
  write: Line,
): Promise<void> {
  const { hostTexts } = call.system
  try {
    if (hostTexts === undefined) {
      throw new HostRefusal(
        'CommandNotFoundException',
        '80131501',
        "The term 'Hyper-V\\Get-VM' is not recognized as a name of a cmdlet, function, script file, or executable program.",
      )
    }
    const rows = await hostTexts.carryOut(script, args, ms => call.process.sleep(ms))
    for (const row of rows) {
      const cells = Object.fromEntries(columns.split(',').map(name => [name, row[name] ?? null]))
      await write(`gc ${id} row ${escapeOdd(json(cells))}`)
    }
    await write(`gc ${id} end ${rows.length}`)
  } catch (error) {
    if (!(error instanceof HostRefusal)) throw error
    await write(`gc ${id} error ${escapeOdd(text(`${error.id}|${error.hresult}|${error.message}`))}`)
  }
}
