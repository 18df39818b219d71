import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../src/config/package-root.js'
import { windowsCommandsPage } from './windows-commands-page.js'

/** Writes docs/windows-commands.md; with `--check`, fails when it is stale instead. */
const target = join(packageRoot, 'docs/windows-commands.md')
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const made = await windowsCommandsPage()
  const found = await readFile(target, 'utf8').catch(() => '')
  if (found !== made && process.argv.includes('--check')) {
    process.stdout.write('docs/windows-commands.md is stale\n')
    process.exitCode = 1
  } else if (found !== made) {
    await writeFile(target, made)
    process.stdout.write('wrote docs/windows-commands.md\n')
  }
}
