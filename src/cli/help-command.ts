import type { CommandIo, ParsedArgs } from './args.js'
import { commands } from './commands.js'
import { styleFor } from './dispatch.js'
import { findCommand } from './find-command.js'
import { commandHelp, groupHelp, programHelp } from './help.js'

/** `guestcert help [COMMAND…]`. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const words = args.arguments.get('COMMAND') ?? []
  const style = styleFor(
    io.stdout,
    io,
    [...args.flags.keys()].map(name => `--${name}`),
  )
  if (words.length === 0) {
    io.stdout.write(programHelp(style))
    return 0
  }
  const { command, group } = findCommand(words, commands)
  io.stdout.write(command === null ? groupHelp(words[0] ?? '', group, style) : commandHelp(command, style))
  return 0
}
