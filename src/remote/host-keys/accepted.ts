/**
 * Keys that `hostKey: accept-new` took: written down beside the lab, in the format of `known_hosts`, and pinned from then
 * on, within a run and for every later one.
 */
import { appendFile, readFile } from 'node:fs/promises'
import { InfraError } from '../../config/errors.js'
import { messageOf } from '../trouble.js'
import { fingerprintOf, isSame, typeOfKey } from './fingerprint.js'
import { parseKnownHosts } from './known-hosts.js'

/** Where keys are kept, and under which names a machine stands there. */
export interface AcceptedKeys {
  /** `null`: for the life of this process only, as for an instance whose image makes new keys at each clone. */
  readonly path: string | null
  readonly names: readonly string[]
}

const heading =
  '# Host keys that guestcert accepted under "hostKey: accept-new". Remove a line to accept another key.\n'

/** What this process has accepted, by file and name: another connection may be made before the file is written. */
const pinned = new Map<string, Buffer>()
let writing: Promise<void> = Promise.resolve()

/** The keys that are pinned for a machine, and how they are found. */
export async function readAccepted({ path, names }: AcceptedKeys): Promise<{ key: Buffer; from: string }[]> {
  const text = path === null ? '' : await readFile(path, 'utf8').catch(() => '')
  const written = parseKnownHosts(text)
    .entries.filter(({ matches }) => names.some(name => matches(name.toLowerCase())))
    .map(({ key, line }) => ({ key, from: `${path}:${line}` }))
  return [...written, ...pinnedNow({ path, names })]
}

/** What was accepted since the file was read. */
export function pinnedNow({ path, names }: AcceptedKeys): { key: Buffer; from: string }[] {
  return names.flatMap(name => {
    const key = pinned.get(slot(path, name))
    return key === undefined ? [] : [{ key, from: 'earlier in this run' }]
  })
}

/**
 * Pins a key and writes it down. Throws InfraError (`host-key`) when another was pinned meanwhile, or when it cannot be
 * written: an acceptance that is forgotten would accept anything the next time.
 */
export async function pinKey(accepted: AcceptedKeys, key: Buffer, where: string): Promise<void> {
  const { path, names } = accepted
  const refuse = (what: string, cause: 'runner' | 'unknown'): InfraError =>
    new InfraError(`${where}: ${what}`, { cause, where, code: 'host-key' })
  const other = pinnedNow(accepted).find(one => !isSame(one.key, key))
  if (other !== undefined) {
    throw refuse(`proved the host key ${fingerprintOf(key)} after ${fingerprintOf(other.key)}`, 'unknown')
  }
  const isWritten = names.every(name => pinned.has(slot(path, name)))
  for (const name of names) {
    pinned.set(slot(path, name), Buffer.from(key))
  }
  if (path === null || isWritten) {
    return
  }
  const line = `${names.map(name => name.toLowerCase()).join(',')} ${typeOfKey(key)} ${key.toString('base64')}\n`
  const written = writing.then(() => append(path, line))
  writing = written.catch(() => {})
  await written.catch((error: unknown) => {
    throw refuse(`the key that accept-new took cannot be written down: ${messageOf(error)}`, 'runner')
  })
}

async function append(path: string, line: string): Promise<void> {
  const before = await readFile(path, 'utf8').catch(() => heading)
  await appendFile(path, before === heading ? heading + line : `${before.endsWith('\n') ? '' : '\n'}${line}`)
}

function slot(path: string | null, name: string): string {
  return `${path ?? ''}\n${name.toLowerCase()}`
}
