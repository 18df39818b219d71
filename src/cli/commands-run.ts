import { validateGroup as group, labArgument as lab, runArgument as run } from './arguments.js'
import { asFlag, choiceFlags, labFlag, lastFailedFlag, reportsFlag, shardFlags, toFlag } from './flags.js'
import { certifyFlags } from './record-flags.js'
import type { CommandSpec, FlagSpec } from './spec.js'

/** How tests are carried out, and what is shown of it. */
const sessionFlags: readonly FlagSpec[] = [
  {
    name: 'parallel',
    value: 'N',
    kind: 'count',
    least: 1,
    description: 'Environments to run at once over all hosts, within the capacity of each host',
    group: 'Run',
  },
  {
    name: 'retries',
    value: 'N',
    kind: 'count',
    description: 'New instances an environment may use after host, network or runner errors',
    group: 'Run',
  },
  {
    name: 'keep',
    value: 'WHICH',
    description: 'Leave guests running for inspection, and print how to log in',
    choices: ['failed', 'always'],
    group: 'Run',
  },
  {
    name: 'fail-fast',
    description: 'Begin nothing more once a required test has ended as fail or error',
    group: 'Run',
  },
  {
    name: 'run-limit',
    value: 'TIME',
    kind: 'duration',
    description: 'Limit of the whole run, instead of the limit "run" of the lab: 90m, 8h',
    group: 'Run',
  },
  {
    name: 'reporter',
    value: 'NAME',
    description:
      'What is shown: auto (for people), plain, quiet (failures only), json (one event per line); or ./FILE.js, a reporter of your own beside it',
    repeatable: true,
    completes: 'file',
    group: 'Output',
  },
  toFlag,
]

const outputFlag: FlagSpec = {
  name: 'output',
  alias: 'o',
  value: 'DIR',
  description: 'Folder for reports; each run gets a subfolder',
  default: 'reports',
  completes: 'folder',
  group: 'Output',
}

/** What a run is about. */
const labelFlag: FlagSpec = {
  name: 'label',
  value: 'KEY=VALUE',
  kind: 'label',
  description: 'What the run is about, for journal and summary.json: build=1234, url=https://…',
  repeatable: true,
  group: 'Output',
}

/** What begins with a run. */
const runFlags: readonly FlagSpec[] = [
  {
    name: 'repeat',
    value: 'N',
    kind: 'count',
    least: 1,
    description: 'Run it N times, each a run of its own; exit with the strongest exit code',
    group: 'Run',
  },
  {
    name: 'until-fail',
    description: 'Repeat until a run exits with another code than 0, at most --repeat times',
    group: 'Run',
  },
  {
    name: 'inspect',
    value: 'TEST',
    description: 'Run this test module, and let it wait for a debugger before its first line',
    group: 'Run',
  },
  labelFlag,
  outputFlag,
]

/** Commands that execute runs. */
export const runCommands: readonly CommandSpec[] = [
  {
    path: ['run'],
    group,
    summary: 'Run the validation suites of a lab',
    description: [
      "Boots the lab's guests on its hosts, runs the suites that apply in each of them over SSH, and leaves a journal, JUnit reports and evidence. As many guests run at once as --parallel and each host's capacity allow.",
      'Without selection flags, everything that applies runs. Repeating a flag widens the selection; different flags narrow it. A test that is chosen takes along those that it comes after.',
      'The first Ctrl-C ends every wait for a guest or a host, lets tests that run come to their end, begins nothing more, and tears everything down; the second stops at once. SIGTERM and SIGHUP do the same.',
      '--last-failed reads the newest run in the folder of --output. What it does not find in this lab any more is an error, not a smaller choice.',
    ],
    arguments: [lab],
    flags: [
      ...choiceFlags,
      lastFailedFlag,
      ...shardFlags,
      ...runFlags,
      ...sessionFlags,
      ...certifyFlags,
      asFlag,
    ],
    examples: [
      { line: 'guestcert run lab.yaml', does: 'Validate the whole lab' },
      {
        line: "guestcert run lab.yaml --guest 'ws*' --suite clock --suite network",
        does: 'Two suites on the guests whose names begin with ws',
      },
      { line: 'guestcert run lab.yaml --level required --parallel 8', does: 'Only the required tests' },
      {
        line: 'guestcert run lab.yaml --test drift --keep failed',
        does: 'One test; keep the guest if it fails',
      },
      { line: 'guestcert run lab.yaml --last-failed', does: 'Again what did not pass in the newest run' },
      {
        line: 'guestcert run lab.yaml --test drift --repeat 50 --until-fail',
        does: 'Look for a test that fails now and then',
      },
    ],
    prints: { kind: 'events' },
    exits: [0, 1, 2, 3, 4, 130],
    module: 'run',
  },
  {
    path: ['demo'],
    group,
    summary: 'Validate an emulated lab of Linux and Windows guests',
    description: [
      'Does what "guestcert run" does, with a lab that ships with the program: eleven guest products on seventeen hosts, all of them emulated on this machine. It needs no hypervisor, and takes a minute or two. Results of emulated guests certify nothing.',
      'Emulated guests need the optional package just-bash, which npm installs unless told otherwise.',
    ],
    arguments: [],
    flags: [...choiceFlags, outputFlag, ...sessionFlags, asFlag],
    examples: [
      { line: 'guestcert demo', does: 'The whole lab' },
      { line: 'guestcert demo --guest rhel5', does: 'One guest on all its hosts' },
    ],
    prints: { kind: 'events' },
    exits: [0, 1, 2, 3, 4, 130],
    module: 'demo',
  },
  {
    path: ['resume'],
    group,
    summary: 'Go on with a run that was interrupted or whose runner died',
    description: [
      'Begins a further session of the run, in the same folder and journal. Tests that passed, failed or were skipped stand. What had an error, was blocked, did not run or was under way is run again, on new instances; the old ones are removed first, or named as orphans.',
      'The lab and the suites must still come to the same plan. While another session of the run lives, it is refused; a session that finds itself overtaken stops.',
      "What is executed comes from the lab file. Of the run's folder, which may be a stranger's, only names and digests are used.",
    ],
    arguments: [run],
    flags: [...sessionFlags, labFlag, reportsFlag, asFlag],
    examples: [
      { line: 'guestcert resume latest', does: 'Go on with the newest run of ./lab.yaml' },
      {
        line: 'guestcert resume 20261122-101500-a1b2 --lab labs/westford.yaml',
        does: 'Go on with a run of another lab file',
      },
    ],
    prints: { kind: 'events' },
    exits: [0, 1, 2, 3, 4, 130],
    module: 'resume',
  },
  {
    path: ['merge'],
    group,
    summary: 'Merge the parts of a plan into one run',
    description: [
      'Makes a new run of the runs of "guestcert run --shard": its plan is the whole plan, its journal has the sessions of all parts, and it names each part with the digest of its journal. Evidence is copied, and must have the digests that the journals name.',
      'Every part must be there once, closed, and of the same plan, split in the same way: overlaps, gaps and other plans are refused.',
      'Exits with the exit code of the merged run.',
    ],
    arguments: [{ ...run, repeatable: true }],
    flags: [labelFlag, toFlag, outputFlag],
    examples: [
      { line: 'guestcert merge shard-1 shard-2 shard-3', does: 'Three runs that lie in ./reports' },
      {
        line: 'guestcert merge parts/*/reports/latest --output reports',
        does: 'Runs that a CI system has collected from its jobs',
      },
    ],
    prints: { kind: 'result', shapes: ['merge'], quiet: 'Print the counts and the exit code only' },
    exits: [0, 1, 2, 3, 4, 130],
    module: 'merge',
  },
]
