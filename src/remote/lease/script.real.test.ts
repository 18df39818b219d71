/** The lease script in the shells of old and small machines: Debian's bash, busybox, dash, ksh, mksh and zsh. */
import { existsSync } from 'node:fs'
import t from 'tap'
import { leaseCases } from './script.test.cases.js'

t.setTimeout(120_000)
for (const shell of [
  ['/bin/dash'],
  ['/bin/bash', '--posix'],
  ['/usr/bin/busybox', 'sh'],
  ['/usr/bin/ksh'],
  ['/usr/bin/mksh'],
  ['/usr/bin/zsh', '--emulate', 'sh'],
]) {
  const [file = ''] = shell
  await t.test(shell.join(' '), { skip: existsSync(file) ? false : `${file} is not installed` }, async t => {
    await leaseCases(t, shell)
  })
}
