import { labCommands } from './commands-lab.js'
import { passCommands } from './commands-pass.js'
import { recordCommands } from './commands-record.js'
import { recordReadCommands } from './commands-record-read.js'
import { runCommands } from './commands-run.js'
import { toolCommands } from './commands-tools.js'
import { withOutputFlags } from './output-flags.js'
import type { CommandSpec } from './spec.js'

/** Every command, in the order of help. */
export const commands: readonly CommandSpec[] = [
  ...runCommands,
  ...passCommands,
  ...recordCommands,
  ...recordReadCommands,
  ...labCommands,
  ...toolCommands,
].map(withOutputFlags)

/** What the program is for, in one line. */
export const purpose =
  'Certifies guest operating systems on hypervisors: boots them, validates them over SSH, and reports what was seen.'

/** Environment variables that every command reads. */
export const variables: readonly (readonly [name: string, does: string])[] = [
  ['NO_COLOR', 'Disable coloured output if not empty'],
  ['FORCE_COLOR', 'Force coloured output; 0 disables it'],
  ['GUESTCERT_DEBUG', 'Same as --verbose if not empty'],
]

/** The command as it is typed, without the program. */
export function nameOf({ path }: CommandSpec): string {
  return path.join(' ')
}

/** `guestcert lab build IMAGE [FLAGS]`. */
export function usageOf(command: CommandSpec): string {
  const words = command.arguments.map(({ name, optional, repeatable }) => {
    const shown = repeatable ? `${name}…` : name
    return optional ? `[${shown}]` : shown
  })
  return ['guestcert', ...command.path, ...words, '[FLAGS]'].join(' ')
}
