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

/** Has the record below a folder trust `lab.pem` as the key of the lab's party. */
export async function trustLabKey(cwd: string): Promise<void> {
  const words = ['record', 'key', 'lab.pem', '--name', 'lab', '--party', 'example-lab', '--role', 'lab']
  const { stdout } = await guestcert(words, { cwd })
  const trust = join(cwd, 'record/trust.yaml')
  const indented = stdout.replace(/^(?!#)/gm, '  ').trimEnd()
  await writeFile(trust, (await readFile(trust, 'utf8')).replace('keys: {}', `keys:\n${indented}`))
}
