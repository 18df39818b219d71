import type { ArgumentSpec, CommandSpec, FlagSpec, PrintSpec } from './spec.js'

export const group = 'Certify'

export const recordFlag: FlagSpec = {
  name: 'record',
  value: 'DIR',
  description: 'Folder of the record',
  default: 'record',
  completes: 'folder',
  group: 'General',
}
export const trustFlag: FlagSpec = {
  name: 'trust',
  value: 'FILE',
  description: "Whose keys count, instead of the record's own trust.yaml",
  completes: 'file',
  group: 'General',
}
export const logKeyFlag: FlagSpec = {
  name: 'log-key',
  value: 'FILE',
  description: "The log's private key in PEM, if record.yaml does not name it",
  completes: 'file',
  group: 'Keys',
}
const keyFlag: FlagSpec = {
  name: 'key',
  value: 'FILE',
  description: 'The private key that signs, in PEM: Ed25519 or ECDSA P-256',
  completes: 'file',
  group: 'Keys',
}
const passphraseFlag: FlagSpec = {
  name: 'passphrase',
  value: 'REF',
  description: 'The passphrase of --key, by reference: env:NAME or file:PATH',
  group: 'Keys',
}

export const outFlag: FlagSpec = {
  name: 'out',
  value: 'FILE',
  description:
    "Write the signed entries to FILE for the record's keeper, who submits them, instead of recording them",
  completes: 'file',
  group: 'Output',
}

/** What every command takes that records something. */
export const writing: readonly FlagSpec[] = [
  keyFlag,
  passphraseFlag,
  logKeyFlag,
  { ...passphraseFlag, name: 'log-passphrase', description: "The passphrase of the log's key, by reference" },
  recordFlag,
]

/** What `run --certify` takes beside. */
export const certifyFlags: readonly FlagSpec[] = [
  {
    name: 'certify',
    description: 'Register the plan in a record first; the name of the run is bound to it',
    group: 'Certify',
  },
  {
    name: 'registration',
    value: 'ENTRY',
    description: 'With --certify: the entry of a registration that was made before, and maybe cosigned',
    group: 'Certify',
  },
  ...writing.map(flag => ({ ...flag, group: 'Certify' })),
]

export const entry: ArgumentSpec = {
  name: 'ENTRY',
  description: 'A leaf hash, or at least 6 digits that it begins with',
}
export const why: FlagSpec = { name: 'why', value: 'TEXT', description: 'The reason', group: 'Choice' }
export const policyFlag: FlagSpec = {
  name: 'policy',
  value: 'FILE',
  description: 'The policy, e.g. policies/example-lab.yaml',
  completes: 'file',
  group: 'Choice',
}
export const asOfFlag: FlagSpec = {
  name: 'as-of',
  value: 'DATE',
  description: 'As it stands on another day: 2027-03-01',
  group: 'Choice',
}

interface Short {
  readonly name: string
  readonly module?: string
  readonly summary: string
  readonly description: readonly string[]
  readonly arguments?: readonly ArgumentSpec[]
  readonly flags: readonly FlagSpec[]
  readonly prints: PrintSpec
  readonly example: readonly [line: string, does: string]
  readonly exits?: readonly number[]
}

/** A command of `guestcert record`, from what is its own. */
export function recordCommand({
  name,
  module,
  summary,
  description,
  arguments: given,
  flags,
  prints,
  example,
  exits,
}: Short): CommandSpec {
  return {
    path: ['record', name],
    group,
    summary,
    description,
    arguments: given ?? [],
    flags,
    prints,
    examples: [{ line: `guestcert record ${example[0]}`, does: example[1] }],
    exits: exits ?? [0, 2, 3, 4],
    module: `record/${module ?? name}`,
  }
}
