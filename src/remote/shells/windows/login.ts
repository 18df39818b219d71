import { quote } from '../quote.js'
import { commandText } from './catalog.js'
import { quoteForPowerShell } from './quote.js'

/** What the SSH server hands a command to. */
export type LoginShell = 'cmd' | 'powershell' | 'cygwin'

/** Reads what the probe printed; `null` when it is none of ours. */
export function parseLoginProbe(text: string): LoginShell | null {
  const [, said] = /\bgc-shell\b([\s\S]*)/.exec(text) ?? []
  if (said === undefined) {
    return null
  }
  if (!said.includes('%ComSpec%')) {
    return /\S/.test(said) ? 'cmd' : null
  }
  // `$?` is a truth in PowerShell and a number in bash, which knows no PSHOME.
  if (/\b(?:True|False)\b/.test(said)) {
    return 'powershell'
  }
  return /(?:^|\s)\d{1,3}(?:\s|$)/.test(said) ? 'cygwin' : null
}

/** A line as the login shell must be given it. */
export interface LoginLine {
  readonly line: string
  /** The word before the true status on the last line of output, where the login shell would cut it. */
  readonly statusWord: string | null
}

/** Wraps a line for cmd so that it comes through the login shell unchanged. */
export function lineForLogin(shell: LoginShell, line: string, nonce: string): LoginLine {
  switch (shell) {
    case 'cmd':
      return { line: commandText('in-cmd', { LINE: line }), statusWord: null }
    case 'powershell': {
      const literal = quoteForPowerShell(line.replaceAll('"', '%GC_Q%'))
      return {
        line: commandText('in-powershell', { 'LINE-QUOTED': literal.slice(1, -1) }),
        statusWord: null,
      }
    }
    case 'cygwin':
      return {
        line: commandText('in-cygwin', { LINE: quote(line), NONCE: `${nonce}e` }),
        statusWord: `${nonce}e`,
      }
  }
}
