import type { FlagSpec } from './spec.js'

const choice = 'Choice'
const output = 'Output'
const general = 'General'

/** Flags of every command. */
export const globalFlags: readonly FlagSpec[] = [
  { name: 'help', alias: 'h', description: 'Explain a command, and do nothing else', group: general },
  { name: 'version', alias: 'V', description: 'Print the version, and do nothing else', group: general },
  { name: 'verbose', alias: 'v', description: 'Say more when something goes wrong', group: general },
  { name: 'color', description: 'Use colours, also where no terminal is', group: general },
  { name: 'no-color', description: 'Use no colours; so does NO_COLOR=1', group: general },
]

/** What of a lab is taken. */
export const machineFlags: readonly FlagSpec[] = [
  {
    name: 'guest',
    value: 'GLOB',
    description: 'Guests of this name; * and ? are wild',
    repeatable: true,
    group: choice,
  },
  { name: 'host', value: 'GLOB', description: 'Hosts of this name', repeatable: true, group: choice },
]

/** What of a lab and its suites a pass takes. */
export const choiceFlags: readonly FlagSpec[] = [
  ...machineFlags,
  { name: 'suite', value: 'GLOB', description: 'Suites of this name', repeatable: true, group: choice },
  {
    name: 'test',
    value: 'GLOB',
    description: 'Tests of this name, with or without their suite: clock/drift, drift, clock/*',
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
    description: 'Tests whose name or title matches; capitals do not matter',
    group: choice,
  },
]

/** Who uses the lab. */
export const asFlag: FlagSpec = {
  name: 'as',
  value: 'NAME',
  description:
    'Who you are, to hosts that are reserved and to those who wait for you; your user name if not said',
  group: general,
}

/** Machine-readable output in place of text. */
export const jsonFlag: FlagSpec = {
  name: 'json',
  description: 'Print JSON in place of text',
  group: output,
}

/** Where runs are kept, for commands that look for one. */
export const reportsFlag: FlagSpec = {
  name: 'reports',
  value: 'DIR',
  description: 'Where runs leave their reports',
  default: 'reports',
  completes: 'folder',
  group: general,
}

/** Fewer lines. */
export const quietFlag: FlagSpec = {
  name: 'quiet',
  alias: 'q',
  description: 'Print failures and the summary only; the same as --reporter quiet',
  group: output,
}
