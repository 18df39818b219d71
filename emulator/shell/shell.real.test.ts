import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { bootForTest, runScript } from '../harness.test.helper.js'
import { posixScripts } from './scripts.test.helper.js'

for (const shell of ['dash', 'bash']) {
  t.test(`scripts do what they do in ${shell}`, async t => {
    for (const script of posixScripts) {
      const folder = mkdtempSync(join(tmpdir(), 'shell-'))
      // Node's pipes are sockets, and a bash whose standard input is one reads the user's own .bashrc.
      const real = spawnSync(`/bin/${shell}`, ['-c', script], {
        cwd: folder,
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LC_ALL: 'C', TZ: 'UTC' },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 20_000,
      })
      rmSync(folder, { recursive: true })
      const status = real.status ?? 128 + (real.signal === 'SIGKILL' ? 9 : 15)
      const mine = await runScript(bootForTest('debian-12'), script, { shell: `/bin/${shell}` })
      const clean = (text: string): string => text.replaceAll(folder, '/tmp')
      t.strictSame(
        { stdout: mine.stdout, status: mine.status, complains: mine.stderr !== '' },
        {
          stdout: clean(real.stdout.toString('latin1')),
          status,
          complains: /\S/.test(real.stderr.toString().replace(/^.*(?:Killed|Terminated).*$/gm, '')),
        },
        script,
        { mine: mine.stderr, real: real.stderr.toString() },
      )
    }
  })
}
