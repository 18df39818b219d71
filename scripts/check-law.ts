import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What would let an unobserved end pass for a good one. */
const forbidden: readonly { pattern: RegExp; why: string }[] = [
  {
    pattern: /\b(code|status|exitCode|exitStatus)\)?\s*(\?\?|\|\|)\s*0\b/,
    why: 'a status that never came is not 0',
  },
  { pattern: /\b(code|status|exitCode|exitStatus)\s*==\s*(0|null)(?!=)/, why: 'compare a status with ===' },
  {
    pattern: /!\s*(result\.)?(code|exitCode|exitStatus)\b/,
    why: 'null and 0 are both falsy: compare with === 0',
  },
]

/** Waits with a limit have one home: a race against a timer anywhere else is one more way to write them. */
const races: readonly { pattern: RegExp; beside: RegExp; why: string }[] = [
  { pattern: /\bAbortSignal\.(any|timeout)\b/, beside: /^/, why: 'Node 20 may collect it: use src/deadline' },
  {
    pattern: /\bPromise\.race\(/,
    beside: /\b(setTimeout|untilAborted)\(|\.after\(/,
    why: 'a wait with a limit is withDeadline or inTime of src/deadline',
  },
]

const found: string[] = []
for (const folder of ['src', 'emulator', 'suites']) {
  for (const name of await readdir(folder, { recursive: true })) {
    if (name.endsWith('.ts') && !name.includes('.test.')) {
      const text = await readFile(join(folder, name), 'utf8')
      const lines = text.split('\n')
      const isHome = folder !== 'src' || name.startsWith('deadline')
      const rules = [...forbidden, ...races.filter(({ beside }) => !isHome && beside.test(text))]
      lines.forEach((line, index) => {
        for (const { pattern, why } of rules) {
          if (pattern.test(line)) {
            found.push(`${folder}/${name}:${index + 1}: ${why}: ${line.trim()}`)
          }
        }
      })
    }
  }
}
process.stdout.write(found.map(line => `${line}\n`).join(''))
process.exitCode = found.length === 0 ? 0 : 1
