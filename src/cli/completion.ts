import { type CommandIo, type ParsedArgs, requiredArgument } from './args.js'
import { bashCompletion } from './completion/bash.js'
import { fishCompletion } from './completion/fish.js'
import { zshCompletion } from './completion/zsh.js'

/** `guestcert completion bash|zsh|fish`: prints the completion script of a shell. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const shell = requiredArgument(args, 'SHELL')
  const script = shell === 'bash' ? bashCompletion() : shell === 'zsh' ? zshCompletion() : fishCompletion()
  io.stdout.write(script)
  return 0
}
