import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { stringify } from 'yaml'
import { ConfigError, UsageError } from '../../config/errors.js'
import { id } from '../../config/scalars.js'
import { readPrivateKey } from '../../record/envelope/keys.js'
import { trustOf, trustSchema } from '../../record/envelope/trust.js'
import { beginLog } from '../../record/ledger/append.js'
import { recordFile, trustFileName } from '../../record/ledger/config.js'
import { verifierKeyText } from '../../record/log/note-keys.js'
import { type CommandIo, type ParsedArgs, textFlag } from '../args.js'
import { recordFolder } from './open.js'

/** `guestcert record init`: begins a record. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const folder = recordFolder(args, io)
  const party = textFlag(args, 'party') ?? ''
  if (!id.safeParse(party).success)
    throw new UsageError('give the name of who keeps the record: --party NAME')
  const keyFile = textFlag(args, 'log-key')
  if (keyFile === undefined) throw new UsageError("give the log's key, an Ed25519 key in PEM: --log-key FILE")
  const path = resolve(io.cwd, keyFile)
  const key = await readPrivateKey(path)
  if (key.asymmetricKeyType !== 'ed25519')
    throw new UsageError(`${path}: a log is signed with an Ed25519 key`)
  const origin = textFlag(args, 'origin') ?? `${party}/record`
  if (/[\s+]/.test(origin)) throw new UsageError('--origin must have no blank and no "+"')
  const wanted = textFlag(args, 'trust')
  const trust =
    wanted === undefined
      ? starter(party, origin, verifierKeyText(origin, key))
      : await readFile(resolve(io.cwd, wanted), 'utf8').catch(() => {
          throw new UsageError(`cannot read ${wanted}`)
        })
  await mkdir(folder, { recursive: true })
  await create(join(folder, recordFile), stringify({ record: party, party, logKey: relative(folder, path) }))
  await create(join(folder, trustFileName), trust)
  await beginLog({ folder, origin, key })
  io.stdout.write(`${folder}: a record of ${party}, log ${origin}\n`)
  io.stdout.write(`log key: ${verifierKeyText(origin, key)}\n`)
  if (wanted === undefined)
    io.stdout.write(`next: write the keys that count into ${join(folder, trustFileName)}\n`)
  return 0
}

function starter(party: string, origin: string, key: string): string {
  const file = { trust: party, version: 1, log: { origin, key }, keys: {} }
  trustOf(trustSchema.parse(file), trustFileName)
  return `# Whose keys count, for what and how long ("guestcert record key FILE" prints an entry; see docs/record.md).
${stringify(file)}`
}

/** Nothing that is there is written over. */
async function create(path: string, content: string): Promise<void> {
  try {
    await writeFile(path, content, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new ConfigError([
      { place: { file: path, line: 1, column: 1 }, message: 'there is a record already' },
    ])
  }
}
