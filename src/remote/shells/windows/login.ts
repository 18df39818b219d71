/** What the SSH server hands a command to. */
export type LoginShell = 'cmd' | 'powershell' | 'cygwin'

/** What every login shell prints that carries the probe out. */
export const probeWord = 'gc-shell'

/** Reads what the probe printed; `null` when it is none of ours. */
export function parseLoginProbe(text: string): LoginShell | null {
  const [, said] = new RegExp(`\\b${probeWord}\\b([\\s\\S]*)`).exec(text) ?? []
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
