import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../src/config/package-root.js'
import { hyperV2008TextsPage, hyperVTextsPage } from './hyperv-texts-page.js'
import { windowsCommandsPage } from './windows-commands-page.js'

/** Writes the pages of what is sent to Windows; with `--check`, fails when one is stale instead. */
const pages: Readonly<Record<string, () => Promise<string> | string>> = {
  'docs/windows-commands.md': windowsCommandsPage,
  'docs/hyperv-texts.md': hyperVTextsPage,
  'docs/hyperv-2008-texts.md': hyperV2008TextsPage,
}
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [page, make] of Object.entries(pages)) {
    const target = join(packageRoot, page)
    const made = await make()
    const found = await readFile(target, 'utf8').catch(() => '')
    if (found !== made && process.argv.includes('--check')) {
      process.stdout.write(`${page} is stale\n`)
      process.exitCode = 1
    } else if (found !== made) {
      await writeFile(target, made)
      process.stdout.write(`wrote ${page}\n`)
    }
  }
}
