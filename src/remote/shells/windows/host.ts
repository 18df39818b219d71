import type { PosixHost } from '../host.js'
import type { LoginShell } from './login.js'
import type { Tools } from './tools.js'

/** A connection to a Windows guest, and what probing has told of it. */
export interface WindowsHost {
  readonly connection: Omit<PosixHost, 'sudo'>
  readonly login: LoginShell
  /** The code page of console programs. */
  readonly codePage: number
  readonly tools: Tools
}
