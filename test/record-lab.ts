import { generateKeyPairSync } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { guestcert } from './cli-io.js'

/** Writes private keys as PEM files. */
export async function writeKeyFiles(cwd: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
    await writeFile(join(cwd, name), pem)
  }
}

/** A key whose file is `KEY.pem`, and whose it is. */
export interface TrustedKey {
  readonly key: string
  readonly party: string
  readonly role: string
}

/** Has the record below a folder trust `lab.pem` as the key of the lab's party. */
export async function trustLabKey(cwd: string): Promise<void> {
  await trustKey(cwd, { key: 'lab', party: 'example-lab', role: 'lab' })
}

/** Has the record below a folder trust one key more. */
export async function trustKey(cwd: string, { key, party, role }: TrustedKey): Promise<void> {
  const words = ['record', 'key', `${key}.pem`, '--name', key, '--party', party, '--role', role]
  const { stdout } = await guestcert(words, { cwd })
  const trust = join(cwd, 'record/trust.yaml')
  const indented = stdout.replace(/^(?!#)/gm, '  ').trimEnd()
  const text = (await readFile(trust, 'utf8')).replace(/^keys: \{\}$/m, 'keys:').trimEnd()
  await writeFile(trust, `${text}\n${indented}\n`)
}
