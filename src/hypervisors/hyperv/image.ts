import { createHash } from 'node:crypto'
import type { CallOptions } from '../shared/host-commands.js'
import type { HyperVHost } from './host.js'
import { readRows, understand } from './output.js'

/** A clean disk as facts of its instance: its digest as src/hypervisors/image-identity.ts has it, and its files. */
export async function identityOf(
  { id, ask }: HyperVHost,
  path: string,
  call: CallOptions,
): Promise<Record<string, string>> {
  const rows = await ask('image', [path], call)
  const files = understand(id, () => readRows('image', rows))
  const lines = files.map(({ format, sha256 }) => `${format.toLowerCase()} ${sha256}\n`).join('')
  // A host of 2008 may have nothing that makes a digest.
  const isKnown = files.every(({ sha256 }) => sha256 !== '')
  return {
    ...(isKnown ? { 'image digest': `sha256:${createHash('sha256').update(lines).digest('hex')}` } : {}),
    'image files': files.map(file => file.path).join(', '),
  }
}
