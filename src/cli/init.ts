import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UsageError } from '../config/errors.js'
import { argument, type CommandIo, type ParsedArgs } from './args.js'
import { labTemplate } from './lab-template.js'

/** `guestcert init [FILE]`: writes a lab file to begin with, and never over one that is there. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const name = argument(args, 'FILE') ?? 'lab.yaml'
  try {
    await writeFile(resolve(io.cwd, name), labTemplate, { flag: 'wx' })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new UsageError(
      code === 'EEXIST' ? `${name} already exists and was not changed` : `cannot write ${name}: ${message}`,
    )
  }
  io.stdout.write(`wrote ${name}\n\nNext: add your hosts and guests, then run\n  guestcert plan ${name}\n`)
  return 0
}
