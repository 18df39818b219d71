import type { ManagedHostPersona } from '../../persona/schema.js'
import type { Call } from '../../system/programs.js'
import type { HostFaults } from '../faults.js'
import { missingParameter } from './errors.js'
import type { Member, Pool } from './pool.js'

/** What `xe` speaks to on a member of a pool. */
export interface XenServer {
  readonly pool: Pool
  readonly persona: ManagedHostPersona
  readonly faults: HostFaults
  /** The host that the command runs on. */
  member(): Member
}

/** What one command of xe works with. */
export interface Session extends Omit<XenServer, 'member'> {
  readonly call: Call
  readonly member: Member
}

/** The words of a command: `key=value`. */
export type Given = ReadonlyMap<string, string>

/** A command of xe: what it prints. Throws XeError. */
export type Verb = (session: Session, given: Given) => Promise<string> | string

/** Throws XeError where a word is missing. */
export function demand(given: Given, name: string): string {
  const value = given.get(name)
  if (value === undefined || value === '') throw missingParameter(name)
  return value
}
