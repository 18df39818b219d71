import { outputKinds } from '../reports/outputs.js'
import type { FlagSpec } from './spec.js'

const choice = 'Choice'
const output = 'Output'
const general = 'General'

/** Flags of every command. */
export const globalFlags: readonly FlagSpec[] = [
  { name: 'help', alias: 'h', description: 'Show help and exit', group: general },
  { name: 'version', alias: 'V', description: 'Print the version and exit', group: general },
  { name: 'verbose', alias: 'v', description: 'Print more detail on errors', group: general },
  { name: 'color', description: 'Force coloured output', group: general },
  { name: 'no-color', description: 'Disable coloured output (also: NO_COLOR=1)', group: general },
]

/** Flags that select guests and hosts of a lab. */
export const machineFlags: readonly FlagSpec[] = [
  {
    name: 'guest',
    value: 'GLOB',
    description: 'Guests whose name matches; * and ? are wildcards',
    repeatable: true,
    group: choice,
  },
  { name: 'host', value: 'GLOB', description: 'Hosts whose name matches', repeatable: true, group: choice },
]

/** Flags that select what a run executes. */
export const choiceFlags: readonly FlagSpec[] = [
  ...machineFlags,
  { name: 'suite', value: 'GLOB', description: 'Suites whose name matches', repeatable: true, group: choice },
  {
    name: 'test',
    value: 'GLOB',
    description:
      'Tests whose name matches, with or without suite and parameters: clock/drift, drift, clock/*',
    repeatable: true,
    group: choice,
  },
  { name: 'tag', value: 'GLOB', description: 'Tests with this tag', repeatable: true, group: choice },
  {
    name: 'level',
    value: 'LEVEL',
    description: 'Tests of this level',
    choices: ['required', 'optional'],
    repeatable: true,
    group: choice,
  },
  {
    name: 'grep',
    value: 'REGEX',
    description: 'Tests whose name or title matches; case-insensitive',
    group: choice,
  },
]

/** What did not pass. */
export const lastFailedFlag: FlagSpec = {
  name: 'last-failed',
  description: 'Tests that failed, had an error, were blocked or did not run in the newest run',
  group: choice,
}

/** What splits a plan over several runners. */
export const shardFlags: readonly FlagSpec[] = [
  {
    name: 'shard',
    value: 'INDEX/COUNT',
    kind: 'shard',
    description: 'One part of the chosen plan, by environments: 2/5; see "guestcert merge"',
    group: choice,
  },
  {
    name: 'durations',
    value: 'FILE',
    description:
      'Split by how long environments took: summary.json of an earlier run, the same for every part',
    completes: 'file',
    group: choice,
  },
]

/** The lab of a run, for commands that are given the run. */
export const labFlag: FlagSpec = {
  name: 'lab',
  value: 'LAB',
  description: 'The lab file of the run',
  default: 'lab.yaml',
  completes: 'file',
  group: general,
}

/** Who uses the lab. */
export const asFlag: FlagSpec = {
  name: 'as',
  value: 'NAME',
  description: 'Your name for reservations and leases (default: your user name)',
  group: general,
}

/** Machine-readable output instead of text. */
export const jsonFlag: FlagSpec = {
  name: 'json',
  description: 'Print JSON instead of text',
  group: output,
}

/** Where runs are kept, for commands that look for one. */
export const reportsFlag: FlagSpec = {
  name: 'reports',
  value: 'DIR',
  description: 'Folder of the runs',
  default: 'reports',
  completes: 'folder',
  group: general,
}

/** Reports beside those that a run always leaves. */
export const toFlag: FlagSpec = {
  name: 'to',
  value: 'KIND=PLACE',
  kind: 'output',
  description: `Write a report: ${outputKinds.map(({ name }) => name).join(', ')}. PLACE is a file, a folder or a URL; without one it goes to the run's folder`,
  repeatable: true,
  group: output,
}

/** Failures that are forgiven for a while. */
export const waiversFlag: FlagSpec = {
  name: 'waivers',
  value: 'FILE',
  completes: 'file',
  description:
    'Show failures that this file of waivers forgives as skipped, with what they were, in the JUnit for CI; junit-strict shows them as they are',
  group: output,
}

/** Fewer lines; the description is the command's. */
export const quietFlag: Omit<FlagSpec, 'description'> = {
  name: 'quiet',
  alias: 'q',
  group: output,
}
