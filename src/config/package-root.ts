import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this package, wherever it is installed and whether it runs compiled or from source. */
export const packageRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)))

/** The version in `package.json`. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string
  }
  return version
}

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) {
    return folder
  }
  const parent = dirname(folder)
  if (parent === folder) {
    throw new Error('guestcert is installed without its package.json')
  }
  return findRoot(parent)
}
