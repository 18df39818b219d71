import { asOfFlag, entry, policyFlag, recordCommand, recordFlag, trustFlag } from './record-flags.js'
import type { CommandSpec } from './spec.js'

/** Commands that read a certification record, and write what others read of it. */
export const recordReadCommands: readonly CommandSpec[] = [
  recordCommand({
    name: 'status',
    summary: 'Show how each pairing stands',
    description: [
      'A customer’s facts (--facts: YAML or JSON with "guest" and "host") are compared with the certified ones. Another kernel or build does not void a certificate: it is not covered, or carried forward by the policy.',
    ],
    flags: [
      asOfFlag,
      { name: 'facts', value: 'FILE', description: "A customer's facts", completes: 'file', group: 'Choice' },
      trustFlag,
      recordFlag,
    ],
    prints: {
      kind: 'result',
      shapes: ['record status'],
      quiet: 'Print only pairings that are not certified',
    },
    example: ['status --as-of 2027-03-01', 'What is certified on that day'],
  }),
  recordCommand({
    name: 'show',
    summary: 'Show the entries of a record, or one of them',
    description: [],
    arguments: [{ ...entry, optional: true }],
    flags: [trustFlag, recordFlag],
    prints: {
      kind: 'result',
      shapes: ['record show', 'record show ENTRY'],
      quiet: 'Print the leaf hashes only',
    },
    example: ['show', 'List the entries'],
  }),
  recordCommand({
    name: 'why',
    summary: 'Show all that stands against a certificate',
    description: ['Decides anew by the policy, and records nothing. "all" is every pairing of the policy.'],
    arguments: [{ name: 'PAIRING', description: 'A pairing of the policy, or "all"' }],
    flags: [policyFlag, asOfFlag, trustFlag, recordFlag],
    prints: { kind: 'result', shapes: ['record why'], quiet: 'Print only pairings that are not certified' },
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
    prints: { kind: 'result', shapes: ['record verify'], quiet: 'Print only what is not as it was recorded' },
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
    prints: { kind: 'text', what: 'where the bundle is' },
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
    prints: { kind: 'text', what: 'where the files are' },
    example: ['handover debian-12-on-debian-12 --facts customer.yaml', 'Write handover/…'],
  }),
]
