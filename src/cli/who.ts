import { systemUserName } from '../config/this-machine.js'
import { type CommandIo, type ParsedArgs, textFlag } from './args.js'

/** Who uses the lab: what `--as` says, else the user's name. Hosts are reserved for names, and leased by them. */
export function whoAmI(args: ParsedArgs, env: CommandIo['env']): string {
  const named = [textFlag(args, 'as'), env.USER, env.LOGNAME, env.USERNAME]
  return named.find(name => name !== undefined && name !== '') ?? systemUserName() ?? 'nobody'
}
