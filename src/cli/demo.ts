import { join } from 'node:path'
import { packageRoot } from '../config/package-root.js'
import type { CommandIo, ParsedArgs } from './args.js'
import { run as runLab } from './run.js'

const showcase = join(packageRoot, 'fixtures/labs/showcase.yaml')

/** `guestcert demo`: a validation pass over the emulated lab that ships with the program. */
export function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  return runLab({ ...args, arguments: new Map([['LAB', [showcase]]]) }, io)
}
