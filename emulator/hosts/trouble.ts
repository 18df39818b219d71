import { SystemError } from '../files/errno.js'

/** What libvirt reports: its code decides how a front words it. */
export class Trouble extends Error {
  readonly kind: TroubleKind

  constructor(kind: TroubleKind, message: string) {
    super(message)
    this.kind = kind
  }
}

export type TroubleKind =
  | 'no-domain'
  | 'no-snapshot'
  | 'invalid'
  | 'internal'
  | 'failed'
  | 'unsupported'
  | 'argument'
  | 'config'
  | 'operation'
  | 'unsafe'
  | 'xml'
  | 'system'

/** A file that QEMU cannot open. Anything but a failed system call stays what it is. */
export function accessTrouble(image: string, error: unknown): unknown {
  return error instanceof SystemError
    ? new Trouble('system', `Cannot access storage file '${image}' (as uid:107, gid:107): ${error.text}`)
    : error
}
