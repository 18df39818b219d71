import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { imageFiles } from '../../hypervisors/shared/image.js'
import { runTool, type ToolOptions } from '../../hypervisors/shared/tool.js'

/** The keys of one image: the client's opens it, the host's proves it. */
export interface ImageKeys {
  readonly clientPublic: string
  readonly hostPublic: string
  readonly hostPrivate: string
  /** `SHA256:…`, as OpenSSH shows it. */
  readonly hostFingerprint: string
}

/** The private host key, while the image is being built; afterwards only the guest's disk has it. */
const hostKeyFile = 'host_key'

/** Makes an image's Ed25519 keys in its folder: without them nobody gets in, and no password ever does. */
export async function makeKeys(folder: string, name: string, options: ToolOptions): Promise<ImageKeys> {
  const clientKey = join(folder, imageFiles.key)
  const hostKey = join(folder, hostKeyFile)
  for (const [file, comment] of [
    [clientKey, `guestcert client of ${name}`],
    [hostKey, `guestcert host ${name}`],
  ] as const) {
    await runTool('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file], options)
  }
  const [clientPublic, hostPublic, hostPrivate] = await Promise.all([
    readFile(`${clientKey}.pub`, 'utf8'),
    readFile(`${hostKey}.pub`, 'utf8'),
    readFile(hostKey, 'utf8'),
  ])
  const [type, key] = hostPublic.split(' ')
  await writeFile(join(folder, imageFiles.knownHosts), `${name} ${type} ${key}\n`)
  return { clientPublic, hostPublic, hostPrivate, hostFingerprint: fingerprint(hostPublic) }
}

/** `SHA256:…` of a public key as its file has it (`type base64 comment`). */
export function fingerprint(publicKey: string): string {
  const blob = Buffer.from(publicKey.trim().split(/\s+/)[1] ?? '', 'base64')
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}
