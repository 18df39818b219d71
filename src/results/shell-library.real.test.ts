import { existsSync } from 'node:fs'
import t from 'tap'
import { emptyCheckCases, runScript, shellCases } from './shell-library.test.cases.js'

/** The shells that guests have as /bin/sh, and how they are called here. */
const shells: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['dash', ['/usr/bin/dash']],
  ['bash', ['/usr/bin/bash', '--posix']],
  ['busybox', ['/usr/bin/busybox', 'sh']],
  ['mksh', ['/usr/bin/mksh']],
  ['ksh93u+m', ['/usr/bin/ksh93']],
]

for (const [name, command] of shells) {
  t.test(name, async t => {
    const missing = !existsSync(command[0] ?? '')
    t.notOk(missing, `Debian's package ${name} is installed`)
    for (const { name, script, expected } of missing ? [] : [...shellCases, ...emptyCheckCases]) {
      await t.test(name, async t => {
        t.match(await runScript(command, script), expected)
      })
    }
  })
}
