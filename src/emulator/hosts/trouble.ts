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
