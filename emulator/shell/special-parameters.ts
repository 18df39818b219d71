import type { Bytes } from '../files/bytes.js'
import type { Shell } from './shell.js'

/** The value of `$?`, `$$` and the like, and of what bash counts by itself; undefined for other names. */
export function specialParameter(shell: Shell, name: string): Bytes | undefined {
  switch (name) {
    case '?':
      return String(shell.status)
    case '$':
      return String(shell.shellPid)
    case '!':
      return shell.lastBackground === undefined ? undefined : String(shell.lastBackground)
    case '#':
      return String(shell.positional.length)
    case '-':
      return [...shell.options].join('')
    case '0':
      return shell.name
    default:
      return shell.flavour === 'bash' ? counted(shell, name) : undefined
  }
}

function counted({ process, system }: Shell, name: string): Bytes | undefined {
  switch (name) {
    case 'RANDOM':
      return String(Math.floor(Math.random() * 32_768))
    case 'BASHPID':
      return String(process.pid)
    case 'UID':
    case 'EUID':
      return String(process.uid)
    case 'SECONDS':
      return String((system.clock.uptimeNs() - process.startedNs) / 1_000_000_000n)
    default:
      return undefined
  }
}
