import type { Said } from '../shared/several.js'

/** What a command of the host failed with. */
export interface Fault {
  /** `vim.fault.InvalidPowerState`; absent where the host only says that something failed. */
  readonly name?: string
  /** One line, in the host's own words. */
  readonly text: string
}

/** hostd was not spoken to at all: nothing was done. */
const unreached = /^(?:Failed to login: .*|Connect to localhost failed: .*)$/m
const crashed = /^(?:terminate called after throwing.*|Killed)$/m
const refusal =
  /^(?:(?:Power on|Power off|Suspend|Reset|(?:Create|Revert|Remove) Snapshot|Operation) failed\b.*|Failed to .*)$/m
const printed = /^\(((?:vim|vmodl)\.[\w.]+)\) \{[\s\S]*?^\}/m

/**
 * What a command that asks failed with, or `null`. vim-cmd exits 0 on many faults, and prints them: a fault is judged
 * before the exit status, and either is enough.
 */
export function faultOf({ code, text }: Said): Fault | null {
  const [block, name = ''] = printed.exec(text) ?? []
  // What an object tells of a fault is deeper in it.
  if (block !== undefined && (/\.fault\./.test(name) || /^ {3}faultCause = /m.test(block))) {
    const message = /^ {3}msg = "([\s\S]*?)",?\s*$/m.exec(block)?.[1]
    return { name, text: message === undefined || message === '' ? name : `${name}: ${message}` }
  }
  const line = unreached.exec(text)?.[0] ?? crashed.exec(text)?.[0]
  if (line !== undefined) {
    return { text: line.trim() }
  }
  return code === 0 ? null : { text: `status ${code}: ${lastLines(text)}` }
}

/** What a command that changes something failed with: it may also say so in a line of its own. */
export function refusalOf(said: Said): Fault | null {
  const line = refusal.exec(said.text)?.[0]
  return line === undefined ? faultOf(said) : (named(said) ?? { text: line.trim() })
}

function named(said: Said): Fault | null {
  const fault = faultOf(said)
  return fault?.name === undefined ? null : fault
}

/** Whether hostd could not be spoken to, as while it restarts: the command may be given again. */
export function isUnreached({ text }: Said): boolean {
  return unreached.test(text)
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' ').slice(-300)
}
