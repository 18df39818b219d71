import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import { guestcertProcess } from './cli-process.js'

const [program, ...args] = guestcertProcess
const lab = join(packageRoot, 'fixtures/labs/openssh.yaml')

/** Starts the server that the lab file speaks of, as its comment says. */
async function startServer(t: { teardown(undo: () => Promise<void>): void }): Promise<void> {
  const server = spawn(process.execPath, [join(packageRoot, 'dist/scripts/openssh-lab.js')], {
    cwd: packageRoot,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.teardown(async () => {
    const ended = once(server, 'exit')
    server.kill('SIGTERM')
    await ended
  })
  await once(createInterface({ input: server.stdout }), 'line')
}

t.test('a real OpenSSH server', { timeout: 170_000 }, async t => {
  await startServer(t)
  const folder = t.testdir({
    suite: {
      'suite.yaml': `suite: ends
version: 1.0.0
title: Ways to end
tests:
  - { id: hangs, title: Hangs, requirements: [E-1], level: required, script: hangs.sh, protocol: tap, limit: 2s }
  - { id: exits, title: All ok and exit 1, requirements: [E-2], level: required, script: exits.sh, protocol: tap }
`,
      'hangs.sh': '#!/bin/sh\nprintf "1..1\\nok 1\\n"\nsetsid sleep 98765 &\n(sleep 98766 &)\nsleep 98767\n',
      'exits.sh': '#!/bin/sh\nprintf "1..1\\nok 1\\n"\nexit 1\n',
    },
  })
  const text = (await readFile(lab, 'utf8')).replaceAll(
    '../../.openssh-lab',
    join(packageRoot, '.openssh-lab'),
  )

  await t.test('is validated: every test passes', async t => {
    const { exitCode, stdout } = await execa(program, [...args, 'run', lab, '-o', join(folder, 'reports')], {
      reject: false,
    })
    t.equal(exitCode, 0, stdout)
    t.match(stdout, /Tests +\d+: \d+ passed\n/)
  })

  await t.test('a command that hangs is stopped in the guest, with all that it started', async t => {
    await writeFile(join(folder, 'lab.yaml'), text.replace('[builtin]', '[./suite]'))
    const { exitCode, stdout } = await execa(
      program,
      [...args, 'run', join(folder, 'lab.yaml'), '-o', join(folder, 'reports')],
      { reject: false },
    )
    t.equal(exitCode, 1, stdout)
    t.match(stdout, /error .*ends\/hangs/)
    t.match(stdout, /fail .*ends\/exits/, 'all ok and exit 1 is a failure')
    const { stdout: processes } = await execa('ps', ['-eo', 'args'])
    t.notMatch(processes, /sleep 9876[567]/, 'nothing is left in the process list')
  })

  await t.test('another host key than the known one is refused, and nothing is run', async t => {
    const wrong = 'SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU'
    await writeFile(join(folder, 'wrong.yaml'), text.replace(/hostKey: .*/, `hostKey: "${wrong}"`))
    const { exitCode, stdout } = await execa(
      program,
      [...args, 'run', join(folder, 'wrong.yaml'), '-o', join(folder, 'reports')],
      { reject: false },
    )
    t.equal(exitCode, 3, stdout)
    t.notMatch(stdout, /pass /)
    t.match(stdout, /host key/)
  })
})
