import type { WindowsPersona } from './persona/schema.js'
import { compareNt } from './system/nt.js'
import type { WinAccount } from './system/system.js'

/** Who may log in: the administrator, and those whom the lab names. */
export function accountsOf(
  users: readonly { readonly name: string }[],
  persona: WindowsPersona,
): WinAccount[] {
  const folder = compareNt(persona.os.nt, '6.0') < 0 ? 'C:\\Documents and Settings' : 'C:\\Users'
  const authority = 'S-1-5-21-1844237615-1580818891-725345543'
  const names = [
    'Administrator',
    ...users.map(({ name }) => name).filter(name => name.toLowerCase() !== 'administrator'),
  ]
  return names.map((name, index) => ({
    name,
    sid: `${authority}-${index === 0 ? 500 : 1000 + index}`,
    profile: `${folder}\\${name}`,
  }))
}

/** At most fifteen letters, digits and dashes, in capitals: NetBIOS's rule. */
export function computerName(name: string): string {
  const [first = ''] = name.split('.')
  const clean = first
    .replace(/[^A-Za-z0-9-]/g, '-')
    .slice(0, 15)
    .toUpperCase()
  return clean === '' ? 'WINDOWS' : clean
}
