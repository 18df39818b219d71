import type { GuestPersona } from './persona/schema.js'
import type { Account } from './system/system.js'

/** The users of a Linux guest: root, and those who are to log in. */
export function makeAccounts(users: readonly { readonly name: string }[], persona: GuestPersona): Account[] {
  const shell = persona.shell.path
  const root: Account = { name: 'root', uid: 0, gid: 0, group: 'root', home: '/root', shell, groups: [] }
  const others = users.filter(({ name }) => name !== 'root')
  return [
    root,
    ...others.map(({ name }, index) => ({
      name,
      uid: persona.shell.firstUid + index,
      gid: persona.shell.firstUid + index,
      group: name,
      home: `/home/${name}`,
      shell,
      groups: [],
    })),
  ]
}
