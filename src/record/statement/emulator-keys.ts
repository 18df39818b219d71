import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { packageRoot } from '../../config/package-root.js'

const published = z.object({ hostKeys: z.array(z.string().startsWith('SHA256:')).min(1) })

let known: Promise<ReadonlySet<string>> | undefined

/**
 * The fingerprints of the host keys that emulated machines have, as the emulator publishes them: a machine that proves
 * one is emulated, whatever the lab says of it.
 */
export function emulatorKeys(): Promise<ReadonlySet<string>> {
  known ??= readFile(join(packageRoot, 'fixtures/emulator/host-keys.json'), 'utf8').then(
    text => new Set(published.parse(JSON.parse(text)).hostKeys),
  )
  return known
}
