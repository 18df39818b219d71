import { validateGroup as group, labArgument as lab, runArgument as run } from './arguments.js'
import {
  asFlag,
  choiceFlags,
  labFlag,
  lastFailedFlag,
  reportsFlag,
  shardFlags,
  toFlag,
  waiversFlag,
} from './flags.js'
import type { CommandSpec } from './spec.js'

/** Commands that plan runs and read their results. */
export const passCommands: readonly CommandSpec[] = [
  {
    path: ['plan'],
    group,
    summary: 'Show what would run, and why the rest is left out',
    description: [
      'Prints every environment with its tests, and every test that is left out with the reason. Starts nothing and contacts no host.',
      'The same plan has the same digest on every machine: addresses, ports and secrets are not part of it.',
    ],
    arguments: [lab],
    flags: [...choiceFlags, lastFailedFlag, ...shardFlags, asFlag, reportsFlag],
    examples: [
      { line: 'guestcert plan lab.yaml', does: 'The matrix of environments and suites' },
      { line: 'guestcert plan lab.yaml --guest rhel5 --json', does: 'One guest, for programs' },
    ],
    prints: { kind: 'result', shapes: ['plan'], quiet: 'Print the names of the environments only' },
    exits: [0, 2, 4],
    module: 'plan',
  },
  {
    path: ['list'],
    group,
    summary: 'List suites, tests, guests, hosts, known products or requirements',
    description: [
      'Lists the suites and tests of the lab, or the built-in ones if no lab is given. Guests and hosts need a lab. Products are all that a lab may name. Requirements are shown with the tests that speak for them.',
    ],
    arguments: [
      {
        name: 'WHAT',
        description: 'What to list',
        choices: ['suites', 'tests', 'guests', 'hosts', 'products', 'requirements'],
      },
      { ...lab, description: 'The lab file; required for guests and hosts', optional: true },
    ],
    flags: [],
    examples: [
      { line: 'guestcert list tests', does: 'Every built-in test' },
      { line: 'guestcert list guests lab.yaml', does: 'The guests of a lab, and where they run' },
    ],
    prints: {
      kind: 'result',
      shapes: [
        'list suites',
        'list tests',
        'list guests',
        'list hosts',
        'list products',
        'list requirements',
      ],
      quiet: 'Print the names only',
    },
    exits: [0, 2, 4],
    module: 'list',
  },
  {
    path: ['report'],
    group,
    summary: 'Regenerate the reports of a run',
    description: [
      'Reads the journal of a run and prints its result, or writes the reports that --to names. The journal is not changed. If the runner died, the report covers what was recorded: a test without an observed result did not pass.',
      'Exits with the exit code of the run itself.',
    ],
    arguments: [run],
    flags: [toFlag, waiversFlag, reportsFlag],
    examples: [
      { line: 'guestcert report latest', does: 'Show the result of the newest run' },
      {
        line: 'guestcert report 20261122-101500-a1b2 --to junit=build --to markdown=build/summary.md',
        does: 'JUnit files and a summary in build/',
      },
    ],
    prints: { kind: 'result', shapes: ['report'], quiet: 'Print the counts and the exit code only' },
    exits: [0, 1, 2, 3, 4, 130],
    module: 'report',
  },
  {
    path: ['reports', 'prune'],
    group,
    summary: 'Remove the reports of old runs',
    description: [
      'Removes the folders of old runs, and nothing else. With both flags, a run is removed only if both select it. The run that "latest" names is kept, and so is a run that may still be active.',
    ],
    arguments: [],
    flags: [
      { name: 'keep', value: 'N', kind: 'count', description: 'Keep the newest N runs', group: 'Choice' },
      {
        name: 'older-than',
        value: 'AGE',
        kind: 'duration',
        description: 'Remove only runs older than this: 30d, 12h',
        group: 'Choice',
      },
      { name: 'dry-run', description: 'Print what would be removed, and remove nothing', group: 'General' },
      reportsFlag,
    ],
    examples: [
      { line: 'guestcert reports prune --keep 20', does: 'Keep the newest twenty' },
      {
        line: 'guestcert reports prune --older-than 30d --dry-run',
        does: 'List the runs older than 30 days',
      },
    ],
    prints: { kind: 'result', shapes: ['reports prune'], quiet: 'Print nothing' },
    exits: [0, 2, 4],
    module: 'prune',
  },
  {
    path: ['shell'],
    group,
    summary: 'Open a shell in a guest that a run kept',
    description: [
      'Logs in to the newest instance of an environment that --keep left running, with the same user, key, pinned host key and jump hosts as the run.',
      "All of that is read from the lab file. Of the run's folder, which may be a stranger's, only names are used, and nothing in it is executed.",
    ],
    arguments: [
      run,
      {
        name: 'ENVIRONMENT',
        description: 'guest@product-version/configuration, or an unambiguous part of it',
      },
    ],
    flags: [labFlag, reportsFlag],
    examples: [
      { line: 'guestcert shell latest rhel5@hyper-v-2008/gen1', does: 'Inspect a guest that failed' },
    ],
    prints: { kind: 'text', what: 'what the guest prints' },
    exits: [0, 2, 3, 4],
    module: 'shell',
  },
]
