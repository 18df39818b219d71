import { choiceFlags, jsonFlag, reportsFlag } from './flags.js'
import type { ArgumentSpec, CommandSpec, FlagSpec } from './spec.js'

const group = 'Certify'

const recordFlag: FlagSpec = {
  name: 'record',
  value: 'DIR',
  description: 'Folder of the record',
  default: 'record',
  completes: 'folder',
  group: 'General',
}
const trustFlag: FlagSpec = {
  name: 'trust',
  value: 'FILE',
  description: "Whose keys count, instead of the record's own trust.yaml",
  completes: 'file',
  group: 'General',
}
const logKeyFlag: FlagSpec = {
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

const outFlag: FlagSpec = {
  name: 'out',
  value: 'FILE',
  description:
    "Write the signed entries to FILE for the record's keeper, who submits them, instead of recording them",
  completes: 'file',
  group: 'Output',
}

/** What every command takes that records something. */
const writing: readonly FlagSpec[] = [
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

const entry: ArgumentSpec = {
  name: 'ENTRY',
  description: 'A leaf hash, or at least 6 digits that it begins with',
}
const why: FlagSpec = { name: 'why', value: 'TEXT', description: 'The reason', group: 'Choice' }
const policyFlag: FlagSpec = {
  name: 'policy',
  value: 'FILE',
  description: 'The policy, e.g. policies/example-lab.yaml',
  completes: 'file',
  group: 'Choice',
}
const asOfFlag: FlagSpec = {
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
  readonly example: readonly [line: string, does: string]
  readonly exits?: readonly number[]
}

function recordCommand({
  name,
  module,
  summary,
  description,
  arguments: given,
  flags,
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
    examples: [{ line: `guestcert record ${example[0]}`, does: example[1] }],
    exits: exits ?? [0, 2, 3, 4],
    module: `record/${module ?? name}`,
  }
}

/** Commands about the certification record. */
export const recordCommands: readonly CommandSpec[] = [
  recordCommand({
    name: 'init',
    summary: 'Begin a certification record',
    description: [
      'Makes a folder of plain files with a signed, empty log. Keys are made with openssl: "openssl genpkey -algorithm ed25519 -out log.pem".',
    ],
    flags: [
      { name: 'party', value: 'NAME', description: 'Who keeps the record', group: 'Choice' },
      {
        name: 'origin',
        value: 'NAME',
        description: 'The name of the log (default: PARTY/record)',
        group: 'Choice',
      },
      { ...trustFlag, description: 'A trust file to begin with, instead of a starter' },
      logKeyFlag,
      recordFlag,
    ],
    example: ['init --party example-lab --log-key log.pem', 'Begin record/'],
  }),
  recordCommand({
    name: 'key',
    summary: 'Print what a trust file says of a key',
    description: ['Prints an entry of trust.yaml for a private key. Nothing of the private part is shown.'],
    arguments: [{ name: 'FILE', description: 'A private key in PEM', completes: 'file' }],
    flags: [
      { name: 'name', value: 'NAME', description: 'The name of the key, or of the witness', group: 'Choice' },
      { name: 'party', value: 'NAME', description: 'Whose key it is (default: its name)', group: 'Choice' },
      {
        name: 'role',
        value: 'ROLE',
        description: 'What it may sign',
        choices: ['lab', 'reviewer', 'policy-owner'],
        repeatable: true,
        group: 'Choice',
      },
      { name: 'witness', description: 'As a witness of heads', group: 'Choice' },
    ],
    example: ['key lab.pem --name lab --party example-lab --role lab', 'For the "keys" of trust.yaml'],
    exits: [0, 2, 4],
  }),
  recordCommand({
    name: 'register',
    summary: 'Register a run before it begins',
    description: [
      'Records the plan and the program, so that a run cannot be left out later because of its result. "guestcert run --certify" does so by itself; register by hand where another party is to cosign the head first.',
    ],
    arguments: [{ name: 'LAB', description: 'The lab file, e.g. lab.yaml', completes: 'file' }],
    flags: [...choiceFlags, ...writing],
    example: ['register lab.yaml --key lab.pem', 'Register the whole lab'],
  }),
  recordCommand({
    name: 'add',
    summary: 'Record what a run came to',
    description: [
      'Records one statement for each pairing of the run, and keeps journal, plan and JUnit so that others can fold them again. Adding a run twice is one entry.',
    ],
    arguments: [{ name: 'RUN', description: 'A run by its name, its folder, or "latest"', completes: 'run' }],
    flags: [...writing, reportsFlag],
    example: ['add latest --key lab.pem', 'Record the newest run'],
  }),
  recordCommand({
    name: 'decide',
    summary: 'Decide by a policy what recorded runs certify',
    description: [
      "Prints every reason that stands against a certificate, and records the decision with the signer's key. Once every party that the policy asks for has decided that the same runs certify, the certificate is recorded.",
      'Exits with 1 where something is not certified.',
    ],
    arguments: [
      {
        name: 'PAIRING',
        description: 'A pairing of the policy (default: all that have runs)',
        optional: true,
      },
    ],
    flags: [
      policyFlag,
      { name: 'dry-run', description: 'Print the decision, and record nothing', group: 'General' },
      outFlag,
      ...writing,
    ],
    example: ['decide --policy policies/example-lab.yaml --key reviewer.pem', 'Decide, as a reviewer'],
    exits: [0, 1, 2, 3, 4],
  }),
  recordCommand({
    name: 'sign',
    summary: 'Countersign an entry, answer a manual test, or cosign the head',
    description: [
      '"head" cosigns the newest head of the log as a witness of the trust file: it is kept in heads/, and proves later that nothing before it was changed.',
    ],
    arguments: [{ ...entry, description: 'A leaf hash, its beginning, or "head"' }],
    flags: [
      { name: 'manual', value: 'ID', description: 'Answer this manual test of a run', group: 'Choice' },
      {
        name: 'answer',
        value: 'ANSWER',
        description: 'What was found',
        choices: ['yes', 'no'],
        group: 'Choice',
      },
      { name: 'by', value: 'NAME', description: 'The engineer', group: 'Choice' },
      { name: 'note', value: 'TEXT', description: 'What the engineer saw', group: 'Choice' },
      outFlag,
      ...writing,
    ],
    example: ['sign head --key witness.pem', 'Cosign the head'],
  }),
  recordCommand({
    name: 'reject',
    module: 'remark',
    summary: 'Reject a run or a decision',
    description: ['The entry stays as it is; what counts from now on is that a reviewer rejected it.'],
    arguments: [entry],
    flags: [why, outFlag, ...writing],
    example: ['reject 1a2b3c --why log-is-cut --key reviewer.pem', 'Reject a run'],
  }),
  recordCommand({
    name: 'revoke',
    module: 'remark',
    summary: 'Revoke an entry and what rests on it',
    description: ['A certificate that rests on a revoked run or decision is revoked from now on.'],
    arguments: [entry],
    flags: [why, outFlag, ...writing],
    example: ["revoke 1a2b3c --why 'CVE-2026-1' --key owner.pem", 'Revoke a certificate'],
  }),
  recordCommand({
    name: 'challenge',
    summary: 'Ask for a rerun of tests that the submitter could not know before',
    description: [
      'Draws tests that passed, or takes those that are named. Signed by a reviewer of another party.',
    ],
    arguments: [entry],
    flags: [
      {
        name: 'sample',
        value: 'N',
        kind: 'count',
        least: 1,
        description: 'How many tests to draw (default: 3)',
        group: 'Choice',
      },
      {
        name: 'test',
        value: 'ID',
        description: 'A test to ask for, instead of drawing',
        repeatable: true,
        group: 'Choice',
      },
      outFlag,
      ...writing,
    ],
    example: ['challenge 1a2b3c --key reviewer.pem', 'Draw three tests'],
  }),
  recordCommand({
    name: 'answer',
    summary: 'Answer a challenge with a run that was registered after it',
    description: [],
    arguments: [
      { name: 'CHALLENGE', description: 'The entry of the challenge' },
      { ...entry, description: 'The entry of the run' },
    ],
    flags: writing,
    example: ['answer 4d5e6f 7a8b9c --key lab.pem', 'Answer it'],
  }),
  recordCommand({
    name: 'submit',
    summary: 'Record what another party has signed with --out',
    description: [
      'One party writes a record, with the key of its log. Others sign decisions, challenges and rejections with their own keys on a copy of it, and send the file. Only entries are taken whose signatures hold and count.',
    ],
    arguments: [{ name: 'FILE', description: 'What a command wrote with --out', completes: 'file' }],
    flags: writing.filter(({ name }) => name !== 'key' && name !== 'passphrase'),
    example: ['submit decision.json', 'Record the decision of a reviewer'],
  }),
  recordCommand({
    name: 'status',
    summary: 'Show how each pairing stands',
    description: [
      'A customer’s facts (--facts: YAML or JSON with "guest" and "host") are compared with the certified ones. Another kernel or build does not void a certificate: it is not covered, or carried forward by the policy.',
    ],
    flags: [
      asOfFlag,
      { name: 'facts', value: 'FILE', description: "A customer's facts", completes: 'file', group: 'Choice' },
      jsonFlag,
      trustFlag,
      recordFlag,
    ],
    example: ['status --as-of 2027-03-01', 'What is certified on that day'],
  }),
  recordCommand({
    name: 'show',
    summary: 'Show the entries of a record, or one of them',
    description: [],
    arguments: [{ ...entry, optional: true }],
    flags: [jsonFlag, trustFlag, recordFlag],
    example: ['show', 'List the entries'],
  }),
  recordCommand({
    name: 'why',
    summary: 'Show all that stands against a certificate',
    description: ['Decides anew by the policy, and records nothing. "all" is every pairing of the policy.'],
    arguments: [{ name: 'PAIRING', description: 'A pairing of the policy, or "all"' }],
    flags: [policyFlag, asOfFlag, trustFlag, recordFlag],
    example: ['why all --policy policies/joint-support.yaml', 'What each row still lacks'],
    exits: [0, 1, 2, 3, 4],
  }),
  recordCommand({
    name: 'verify',
    summary: 'Verify every file, signature and journal of a record',
    description: [
      'Names each file that was changed. Folds every kept journal again and compares statement and JUnit with it. A head that you remember, or that another party gave you, proves that the record was not rolled back or forked; without one, freshness is not proven.',
    ],
    flags: [
      {
        name: 'head',
        value: 'FILE',
        description: 'A head of the log that was kept elsewhere',
        completes: 'file',
        group: 'Choice',
      },
      trustFlag,
      recordFlag,
    ],
    example: ['verify --head remembered-checkpoint', 'Verify, with a remembered head'],
    exits: [0, 1, 2, 3, 4],
  }),
  recordCommand({
    name: 'export',
    summary: 'Write a bundle that anyone can verify, with a catalogue for people',
    description: [
      'Writes the record, a proof for each entry, the support matrix and a page for each pairing as HTML without script, catalogue.json, a list of all files with their SHA-256, and VERIFY.md. No private key is ever part of it.',
      '--redacted leaves out journals and plans, which hold names of the lab; VERIFY.md says what can then not be verified any more.',
    ],
    arguments: [{ name: 'DIR', description: 'The folder to write to', completes: 'folder' }],
    flags: [
      { name: 'redacted', description: 'Without journals and plans', group: 'Choice' },
      asOfFlag,
      trustFlag,
      recordFlag,
    ],
    example: ['export bundle', 'Write bundle/'],
  }),
  recordCommand({
    name: 'handover',
    summary: 'Write what one vendor sends to the other when a customer has called',
    description: [
      'Writes the certified facts beside the customer’s with the differences marked, and the signed statements concerned. It is a redacted copy, and says so.',
    ],
    arguments: [{ name: 'PAIRING', description: 'A pairing that was decided about' }],
    flags: [
      {
        name: 'facts',
        value: 'FILE',
        description: "The customer's facts",
        completes: 'file',
        group: 'Choice',
      },
      {
        name: 'to',
        value: 'DIR',
        description: 'The folder to write to (default: handover/PAIRING)',
        completes: 'folder',
        group: 'Output',
      },
      asOfFlag,
      trustFlag,
      recordFlag,
    ],
    example: ['handover debian-12-on-debian-12 --facts customer.yaml', 'Write handover/…'],
  }),
  {
    path: ['import'],
    group,
    summary: 'Record results of other tools, marked as imported',
    description: [
      'Reads JUnit files strictly: a suite that counts other results than its cases have is refused. Our own rich files say which test each case is; for those of other tools a mapping file does. Without --key the verdicts are printed, and nothing is recorded.',
      'Imported results satisfy a required test only where the policy names the tool and the party that signed.',
    ],
    arguments: [],
    flags: [
      {
        name: 'junit',
        value: 'FILE',
        description: 'A JUnit file',
        repeatable: true,
        completes: 'file',
        group: 'Choice',
      },
      {
        name: 'pairing',
        value: 'FILE',
        description: 'What they are about: guest, hypervisor and configuration',
        completes: 'file',
        group: 'Choice',
      },
      {
        name: 'facts',
        value: 'FILE',
        description: 'Facts of guest and host',
        completes: 'file',
        group: 'Choice',
      },
      {
        name: 'mapping',
        value: 'FILE',
        description: 'Which cases of another tool stand for which test',
        completes: 'file',
        group: 'Choice',
      },
      {
        name: 'at',
        value: 'DATE',
        description: 'When the tests ran, if the files do not say it',
        group: 'Choice',
      },
      ...writing,
    ],
    examples: [
      {
        line: 'guestcert import --junit pytest.xml --pairing pairing.yaml --mapping mapping.yaml',
        does: 'Show what the results would be',
      },
    ],
    exits: [0, 2, 3, 4],
    module: 'import',
  },
  {
    path: ['waive'],
    group,
    summary: "Check a file of waivers, and record it with the policy owner's key",
    description: [
      'A waiver forgives the known failure of one test of one guest for a while. Only those count that a key of the policy owner has signed.',
    ],
    arguments: [{ name: 'FILE', description: 'The file of waivers', completes: 'file' }],
    flags: writing,
    examples: [{ line: 'guestcert waive waivers.yaml --key owner.pem', does: 'Record the waivers' }],
    exits: [0, 2, 3, 4],
    module: 'waive',
  },
]
