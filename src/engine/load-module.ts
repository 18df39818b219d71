import { join } from 'node:path'
import { packageRoot } from '../config/package-root.js'

/**
 * Loads a lab's own TypeScript or JavaScript module and returns its default export. Node 20 runs no
 * TypeScript, so jiti transpiles it; `guestcert/api` is this program's, wherever the suite stands.
 */
export async function loadModule(path: string): Promise<unknown> {
  const { createJiti } = await import('jiti')
  const jiti = createJiti(import.meta.url, {
    alias: { 'guestcert/api': join(packageRoot, 'dist/src/api/index.js') },
    moduleCache: false,
    fsCache: false,
  })
  return jiti.import(path, { default: true })
}
