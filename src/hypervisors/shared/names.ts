import { createHash } from 'node:crypto'

/** What an instance's name says of it. */
export interface InstanceName {
  readonly run: string
  readonly environment: number
  readonly number: number
}

const namePattern = /^gc-(.+)-e(\d+)-(\d+)$/

/** What an instance's name says; `null` when it is not an instance. */
export function readInstanceName(name: string): InstanceName | null {
  const [, run, environment, number] = namePattern.exec(name) ?? []
  return run === undefined ? null : { run, environment: Number(environment), number: Number(number) }
}

/** A UUID (RFC 4122, version 4 in form) that is the same for the same instance. */
export function uuidOf(instance: string): string {
  const hex = createHash('sha256').update(`guestcert uuid ${instance}`).digest('hex')
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`]
  return [...parts, hex.slice(20, 32)].join('-')
}
