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

const found: string[] = []
for (const folder of ['src', 'emulator', 'suites']) {
  for (const name of await readdir(folder, { recursive: true })) {
    if (name.endsWith('.ts') && !name.includes('.test.')) {
      const lines = (await readFile(join(folder, name), 'utf8')).split('\n')
      lines.forEach((line, index) => {
        for (const { pattern, why } of forbidden) {
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
