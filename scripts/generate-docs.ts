import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { schemaText } from '../src/cli/schema.js'
import { packageRoot } from '../src/config/package-root.js'
import { apiPage } from './api-page.js'
import { cliPage } from './cli-page.js'
import { jsonPage } from './json-page.js'
import { limitsPage } from './limits-page.js'
import { suitesPage } from './suites-page.js'
import { verdictsPage } from './verdicts-page.js'

/** Writes the pages that are made from code; with `--check`, fails when one is stale instead. */
const pages: readonly (readonly [path: string, make: () => string | Promise<string>])[] = [
  ['docs/api.md', apiPage],
  ['docs/cli.md', cliPage],
  ['docs/json.md', jsonPage],
  ['docs/limits.md', limitsPage],
  ['docs/suites.md', suitesPage],
  ['docs/verdicts.md', verdictsPage],
  ['schemas/lab.schema.json', () => schemaText('lab')],
  ['schemas/suite.schema.json', () => schemaText('suite')],
  ['schemas/emulator.schema.json', () => emulatorPrints('--schema', join(packageRoot, 'fixtures/personas'))],
  ['fixtures/emulator/host-keys.json', () => emulatorPrints('--host-keys')],
  ['schemas/summary.schema.json', () => schemaText('summary')],
  ['schemas/output.schema.json', () => schemaText('output')],
]

/** The emulator says itself what it plays, and by which keys its machines are known. */
async function emulatorPrints(...flags: string[]): Promise<string> {
  const entry = join(packageRoot, 'dist/emulator/main.js')
  const { stdout } = await promisify(execFile)(process.execPath, [entry, ...flags])
  return stdout
}

const check = process.argv.includes('--check')
for (const [path, make] of pages) {
  const target = join(packageRoot, path)
  const made = await make()
  const found = await readFile(target, 'utf8').catch(() => '')
  if (found === made) continue
  if (check) {
    process.stdout.write(`${path} is stale: run "npm run generate" and commit it\n`)
    process.exitCode = 1
  } else {
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, made)
    process.stdout.write(`wrote ${path}\n`)
  }
}
