import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UsageError } from '../../config/errors.js'
import { readSecretReference } from '../../config/references.js'
import { secret } from '../../config/scalars.js'
import { homeFolder } from '../../config/this-machine.js'
import { journalFile } from '../../journal/reader.js'
import type { RunState } from '../../journal/state.js'
import { digestPlan } from '../../plan/digest.js'
import { readPrivateKey } from '../../record/envelope/keys.js'
import { loadRecordConfig } from '../../record/ledger/config.js'
import { type Record, readRecord } from '../../record/ledger/read.js'
import { type RunSource, runFolder } from '../../record/ledger/runs.js'
import type { WriteKeys } from '../../record/ledger/write.js'
import { resolveSecret } from '../../remote/secrets.js'
import { planFile } from '../../run/folder.js'
import { type CommandIo, type ParsedArgs, textFlag } from '../args.js'
import { readRun } from '../runs.js'

/** The folder that `--record` names. */
export function recordFolder(args: ParsedArgs, io: CommandIo): string {
  return resolve(io.cwd, textFlag(args, 'record') ?? 'record')
}

/** The record that `--record` names, with the trust file that `--trust` names. @throws UsageError, ConfigError */
export function openRecord(args: ParsedArgs, io: CommandIo): Promise<Record> {
  const trust = textFlag(args, 'trust')
  const folder = recordFolder(args, io)
  return trust === undefined ? readRecord(folder) : readRecord(folder, resolve(io.cwd, trust))
}

/** The keys that something is recorded with: `--key`, and the log's own, or the file of `--out`. @throws UsageError */
export async function writeKeys(args: ParsedArgs, io: CommandIo): Promise<WriteKeys> {
  const out = textFlag(args, 'out')
  const key = await signingKey(args, io)
  return { key, log: out === undefined ? await logKeyOf(args, io) : { out: resolve(io.cwd, out) } }
}

/** The log's own key: `--log-key`, else what `record.yaml` names. @throws UsageError */
export async function logKeyOf(args: ParsedArgs, io: CommandIo): Promise<KeyObject> {
  const folder = recordFolder(args, io)
  const { logKey } = await loadRecordConfig(folder)
  const log = textFlag(args, 'log-key')
  const path =
    log !== undefined ? resolve(io.cwd, log) : logKey === undefined ? undefined : resolve(folder, logKey)
  if (path === undefined) throw new UsageError("give the log's key: --log-key FILE")
  return readPrivateKey(path, await passphrase('log-passphrase', args, io))
}

/** The key that `--key` names. @throws UsageError */
export async function signingKey(args: ParsedArgs, io: CommandIo): Promise<KeyObject> {
  const path = textFlag(args, 'key')
  if (path === undefined) throw new UsageError('give the key that signs: --key FILE')
  return readPrivateKey(resolve(io.cwd, path), await passphrase('passphrase', args, io))
}

async function passphrase(flag: string, args: ParsedArgs, io: CommandIo): Promise<string | undefined> {
  const text = textFlag(args, flag)
  if (text === undefined) return undefined
  if (!secret.safeParse(text).success) throw new UsageError(`--${flag} must be env:NAME or file:PATH`)
  const reference = readSecretReference(text, io.cwd)
  const sources = { environment: io.env, home: homeFolder() }
  return resolveSecret(reference, { what: 'the passphrase', where: `--${flag}` }, sources)
}

/**
 * A run's folder as bytes and as what they come to. @throws ConfigError, and UsageError for a plan that was edited: what
 * was registered, and what the journal names, is its digest.
 */
export async function readSource(folder: string): Promise<RunSource> {
  const { state, plan: read, events } = await readRun(folder)
  if (digestPlan(read.environments) !== read.digest) {
    throw new UsageError(
      `${join(folder, planFile)} was changed: it does not come to the digest that it names`,
    )
  }
  const why = journalFlaw(state, events)
  if (why !== null) throw new UsageError(`${join(folder, journalFile)} was changed: ${why}`)
  const [journal, plan] = await Promise.all([
    readFile(join(folder, journalFile)),
    readFile(join(folder, planFile)),
  ])
  return { state, journal, plan }
}

/** How a journal contradicts its own numbers; `null` where it does not. Of several sessions the numbers may overlap. */
function journalFlaw(
  { sessions, closed, counts }: RunState,
  events: readonly { readonly seq: number }[],
): string | null {
  if (sessions.length !== 1) return null
  const at = events.findIndex(({ seq }, index) => seq !== index + 1)
  if (at >= 0) return `event ${at + 1} is missing, or stands elsewhere`
  const told: { readonly [verdict: string]: number } = closed?.counts ?? counts
  const other = Object.entries(counts).find(([verdict, count]) => told[verdict] !== count)
  if (other === undefined) return null
  const [verdict, count] = other
  return `its last line counts ${told[verdict]} with ${verdict}, and its events come to ${count}`
}

/** A run that a record keeps, by the digest of its journal; `null` when it is not there. @throws ConfigError */
export async function readKept(record: string, journal: string): Promise<RunSource | null> {
  // What a statement says is data: no path is made of anything but a digest.
  if (!/^[0-9a-f]{64}$/.test(journal)) return null
  const folder = join(record, runFolder(journal))
  const isThere = await readFile(join(folder, planFile)).then(
    () => true,
    () => false,
  )
  return isThere ? readSource(folder) : null
}

/** `leaf` cut to what people read and type. */
export function shortLeaf(leaf: string): string {
  const shown = 12
  return leaf.slice(0, shown)
}
