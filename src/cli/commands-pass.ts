import { reporterKinds } from '../reports/terminal/names.js'
import { asFlag, choiceFlags, jsonFlag, quietFlag, reportsFlag } from './flags.js'
import type { ArgumentSpec, CommandSpec, FlagSpec } from './spec.js'

const group = 'Validate'

const lab: ArgumentSpec = { name: 'LAB', description: 'The lab file, e.g. lab.yaml', completes: 'file' }
const run: ArgumentSpec = {
  name: 'RUN',
  description: 'A run by its name, its folder, or "latest"',
  completes: 'run',
}

const runFlags: readonly FlagSpec[] = [
  {
    name: 'parallel',
    value: 'N',
    kind: 'count',
    least: 1,
    description: 'Environments at once, over all hosts; each host bears no more than its capacity',
    group: 'Run',
  },
  {
    name: 'retries',
    value: 'N',
    kind: 'count',
    description: "New instances an environment may take after trouble that is not the guest's",
    group: 'Run',
  },
  {
    name: 'keep',
    value: 'WHICH',
    description: 'Leave guests running for a look inside, and print how to get in',
    choices: ['failed', 'always'],
    group: 'Run',
  },
  {
    name: 'output',
    alias: 'o',
    value: 'DIR',
    description: 'Where the run leaves its reports, in a folder of its own',
    default: 'reports',
    completes: 'folder',
    group: 'Output',
  },
  {
    name: 'reporter',
    value: 'NAME',
    description: 'How the pass is told: for people, without colours and symbols, failures only, or as events',
    choices: reporterKinds,
    default: 'auto',
    group: 'Output',
  },
  quietFlag,
]

/** Commands that plan a pass, carry it out, and look back at it. */
export const passCommands: readonly CommandSpec[] = [
  {
    path: ['run'],
    group,
    summary: 'Carry out a validation pass',
    description: [
      "Boots the lab's guests on its hosts, runs the suites that apply in each of them over SSH, and leaves a journal, JUnit reports and evidence. As many guests run at once as --parallel and each host's capacity allow.",
      'Without flags of choice, everything that applies runs. Several values of one flag widen the choice; several flags narrow it.',
      'The first Ctrl-C ends what runs and undoes it; the second stops now.',
    ],
    arguments: [lab],
    flags: [...choiceFlags, ...runFlags, asFlag],
    examples: [
      { line: 'guestcert run lab.yaml', does: 'Validate the whole lab' },
      {
        line: "guestcert run lab.yaml --guest 'ws*' --suite clock --suite network",
        does: 'Two suites on the guests whose names begin with ws',
      },
      { line: 'guestcert run lab.yaml --level required --parallel 8', does: 'Only what certification needs' },
      {
        line: 'guestcert run lab.yaml --test drift --keep failed',
        does: 'One test; keep a guest that fails it',
      },
    ],
    exits: [0, 1, 2, 3, 4, 130],
    module: 'run',
  },
  {
    path: ['plan'],
    group,
    summary: 'Show what a pass would run, and why the rest is left out',
    description: [
      'Prints every environment with its tests, and every test that is left out with the reason. Nothing is started and no host is contacted.',
      'The digest is the same for the same plan on any machine: addresses, ports and secrets are no part of it.',
    ],
    arguments: [lab],
    flags: [...choiceFlags, asFlag, jsonFlag],
    examples: [
      { line: 'guestcert plan lab.yaml', does: 'The matrix of environments and suites' },
      { line: 'guestcert plan lab.yaml --guest rhel5 --json', does: 'One guest, for programs' },
    ],
    exits: [0, 2, 4],
    module: 'plan',
  },
  {
    path: ['list'],
    group,
    summary: 'List suites, tests, guests, hosts or known products',
    description: [
      "Suites and tests are those of the lab if one is named, else those that ship with the program. Guests and hosts are the lab's. Products are all that a lab may name.",
    ],
    arguments: [
      {
        name: 'WHAT',
        description: 'What to list',
        choices: ['suites', 'tests', 'guests', 'hosts', 'products'],
      },
      { ...lab, description: 'The lab file; guests and hosts need one', optional: true },
    ],
    flags: [jsonFlag],
    examples: [
      { line: 'guestcert list tests', does: 'Every test that ships with the program' },
      { line: 'guestcert list guests lab.yaml', does: 'The guests of a lab, and where they run' },
    ],
    exits: [0, 2, 4],
    module: 'list',
  },
  {
    path: ['report'],
    group,
    summary: 'Make the reports of a run again',
    description: [
      'Reads the journal of a run and tells it again, or writes its JUnit files again. The journal is not changed, and a run whose runner died is told as far as it came: what was not observed is no pass.',
      'Ends with the exit code of the run itself, so that it can stand for it.',
    ],
    arguments: [run],
    flags: [
      {
        name: 'format',
        value: 'NAME',
        description: 'Failures and the summary on the terminal, or JUnit files',
        choices: ['terminal', 'junit'],
        default: 'terminal',
        group: 'Output',
      },
      {
        name: 'to',
        value: 'DIR',
        description: "Where JUnit files go: DIR/junit and DIR/junit-strict; the run's folder if not said",
        completes: 'folder',
        group: 'Output',
      },
      reportsFlag,
    ],
    examples: [
      { line: 'guestcert report latest', does: 'What became of the newest run' },
      {
        line: 'guestcert report 20261122-101500-a1b2 --format junit --to build',
        does: 'JUnit files in build/',
      },
    ],
    exits: [0, 1, 2, 3, 4, 130],
    module: 'report',
  },
  {
    path: ['reports', 'prune'],
    group,
    summary: 'Remove the reports of old runs',
    description: [
      'Removes the folders of old runs, and nothing else. With both flags, a run goes only if both let it go. The run that "latest" names stays, and so does one that may still be running.',
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
      { name: 'dry-run', description: 'Say what would be removed, and remove nothing', group: 'General' },
      reportsFlag,
    ],
    examples: [
      { line: 'guestcert reports prune --keep 20', does: 'Keep the newest twenty' },
      { line: 'guestcert reports prune --older-than 30d --dry-run', does: 'What a month ago would leave' },
    ],
    exits: [0, 2, 4],
    module: 'prune',
  },
  {
    path: ['shell'],
    group,
    summary: 'Open a shell in a guest that a run has kept',
    description: [
      'Logs in to the newest instance of an environment that --keep left running, as the run did: with the same user, key, pinned host key and jump hosts.',
    ],
    arguments: [
      run,
      { name: 'ENVIRONMENT', description: 'guest@product-version/configuration, or enough of it' },
    ],
    flags: [reportsFlag],
    examples: [
      { line: 'guestcert shell latest rhel5@hyper-v-2008/gen1', does: 'Look around in what failed' },
    ],
    exits: [0, 2, 3, 4],
    module: 'shell',
  },
]
