import { createPublicKey } from 'node:crypto'
import { resolve } from 'node:path'
import { stringify } from 'yaml'
import { UsageError } from '../../config/errors.js'
import { keyIdOf, readPrivateKey } from '../../record/envelope/keys.js'
import { noteTypes, verifierKeyText } from '../../record/log/note-keys.js'
import { type CommandIo, isSet, listFlag, type ParsedArgs, requiredArgument, textFlag } from '../args.js'

const dayMs = 86_400_000

/** `guestcert record key FILE`: prints what a trust file says of a key. Nothing of the private part is shown. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const path = resolve(io.cwd, requiredArgument(args, 'FILE'))
  const key = createPublicKey(await readPrivateKey(path))
  const name = textFlag(args, 'name') ?? 'key'
  if (isSet(args, 'witness')) {
    if (key.asymmetricKeyType !== 'ed25519')
      throw new UsageError(`${path}: heads are cosigned with an Ed25519 key`)
    io.stdout.write(stringify([{ party: name, key: verifierKeyText(name, key, noteTypes.witness) }]))
    return 0
  }
  const from = new Date()
  const day = (time: Date): string => time.toISOString().slice(0, 10)
  const entry = {
    party: textFlag(args, 'party') ?? name,
    roles: listFlag(args, 'role'),
    key: key.export({ type: 'spki', format: 'pem' }).toString(),
    // A day means its end, and the key counts today.
    from: day(new Date(from.getTime() - dayMs)),
    until: day(new Date(from.getTime() + 2 * 365 * dayMs)),
  }
  io.stdout.write(`# key id ${keyIdOf(key)}\n${stringify({ [name]: entry })}`)
  return 0
}
