import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { InfraError, UsageError } from '../config/errors.js'
import type { Lab } from '../config/model.js'
import { personasBeside } from '../config/personas.js'
import { slug } from '../lab/capture/capture.js'
import { type CommandIo, type ParsedArgs, textFlag } from './args.js'

/** The name, if a persona can have it. Throws UsageError. */
export function personaName(name: string): string {
  if (name === '' || slug(name) !== name) {
    throw new UsageError(`invalid persona name "${name}": use lower-case letters, digits, dots and dashes`)
  }
  return name
}

/** The folder for personas: where the lab looks for its own, unless another one is given. */
export function personasFolder(lab: Lab, args: ParsedArgs, io: CommandIo): string {
  const given = textFlag(args, 'output')
  return given === undefined ? personasBeside(lab.file) : resolve(io.cwd, given)
}

/** Writes a persona's file and says which. Throws InfraError. */
export async function writePersona(file: string, text: string, io: CommandIo): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, io.redaction?.redactor.text(text) ?? text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new InfraError(`cannot write ${file}: ${why}`, { cause: 'runner', where: file, code: 'driver' })
  }
  io.stdout.write(`${file}\n`)
}
