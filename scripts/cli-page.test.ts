import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { commands, nameOf } from '../src/cli/commands.js'
import { packageRoot } from '../src/config/package-root.js'
import { cliPage } from './cli-page.js'

t.test('the page names every command and flag', async t => {
  const page = cliPage()
  for (const command of commands) {
    t.match(page, `## guestcert ${nameOf(command)}\n`)
    for (const { name } of command.flags) t.match(page, `--${name}`)
  }
})

t.test('the page in docs is the one that the code makes', async t => {
  t.equal(await readFile(join(packageRoot, 'docs/cli.md'), 'utf8'), cliPage(), 'else run: npm run docs')
})
