import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { packageRoot } from './package-root.js'

/**
 * SHA-256 over this program as it is installed: a line `SHA256 PATH` for each of its JavaScript files, sorted. Its tests
 * are no part of it, nor are the suites, which have digests of their own.
 */
export async function harnessDigest(root = join(packageRoot, 'dist', 'src')): Promise<string> {
  const names = await readdir(root, { recursive: true })
  const files = names.filter(name => /\.js$/.test(name) && !/\.test\./.test(name)).sort()
  const lines = await Promise.all(
    files.map(async name => {
      const digest = createHash('sha256')
        .update(await readFile(join(root, name)))
        .digest('hex')
      return `${digest}  ${name.split(sep).join('/')}\n`
    }),
  )
  return createHash('sha256').update(lines.join('')).digest('hex')
}
