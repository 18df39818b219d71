/** Needs Debian's openssh-server and bash, and root to make a user for the time of the test. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { startOpenSsh } from '../src/remote/openssh.test.fixture.js'
import { guestcertProcess } from './cli-process.js'

t.setTimeout(600_000)
const ssh = await startOpenSsh()
const user = `gcbroken${process.pid}`
const home = join(ssh.folder, 'home')
mkdirSync(home)
execFileSync('useradd', ['-M', '-d', home, '-s', '/bin/bash', '-p', '*', user])
execFileSync('chown', [user, home])
chmodSync(ssh.folder, 0o755)
t.teardown(async () => {
  await ssh.close()
  execFileSync('userdel', ['-f', user], { stdio: 'ignore' })
})

const test = (id: string, what: string): string =>
  `  - { id: ${id}, title: ${id}, requirements: [X-1], level: required, ${what}, limit: 60s }\n`
const suite = {
  'suite.yaml': `suite: s
version: 1.0.0
title: Tests of a guest whose login is broken by the first of them
tests:
${test('breaks', 'script: breaks.sh, protocol: exit')}${test('tap', 'script: tap.sh, protocol: tap')}${test('exit', 'script: exit.sh, protocol: exit')}${test('module', 'module: module.ts')}`,
  'tap.sh': '#!/bin/sh\necho "1..1"; echo "ok 1"\n',
  'exit.sh': '#!/bin/sh\nexit 0\n',
  'module.ts': `import { test } from 'guestcert/api'
export default test(async ({ guest, expect }) => {
  const { succeeded } = await guest.run('exit 0')
  expect(succeeded).toBe(true, 'it ends with 0')
})
`,
}

const lines = {
  sound: ': nothing',
  exit: 'exit 0',
  exec: 'exec true',
  trap: "trap 'exit 0' DEBUG",
  canned: 'echo "1..1"; echo "ok 1"; exit 0',
  replacing: 'exec /bin/sh -c "echo 1..1; echo ok 1"',
} as const

for (const [name, line] of Object.entries(lines)) {
  t.test(`a test leaves \`${line}\` in .bashrc`, async t => {
    rmSync(join(home, '.bashrc'), { force: true })
    const breaks = `#!/bin/sh\ncat >"$HOME/.bashrc" <<'E'\n${line}\nE\n`
    const folder = t.testdir({
      s: { ...suite, 'breaks.sh': breaks },
      'lab.yaml': `lab: broken-${process.pid}
defaults: { retries: 1, limits: { boot: 60s, lease: 9s, leaseRenewal: 2s, leaseLook: 500ms } }
hosts:
  here: { product: none, version: "1", driver: static }
guests:
  this-machine:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: ${user}, key: "file:${ssh.keyPath}", hostKey: "${Object.values(ssh.hostKeys)[0]}" }
    on: { here: { address: "127.0.0.1:${ssh.port}", configuration: {} } }
suites: [./s]
`,
    })
    const [program, ...args] = guestcertProcess
    const { exitCode, stdout } = await execa(program, [...args, 'run', 'lab.yaml', '-o', 'reports'], {
      cwd: folder,
      reject: false,
      stdin: 'ignore',
    })
    t.equal(readFileSync(join(home, '.bashrc'), 'utf8'), `${line}\n`, 'the first test did what it is for')
    const text = await readFile(join(folder, 'reports/latest/summary.json'), 'utf8')
    const { environments } = JSON.parse(text) as {
      environments: readonly { tests: readonly { test: string; verdict: string }[] }[]
    }
    const verdicts = Object.fromEntries(
      environments.flatMap(({ tests }) => tests).map(({ test, verdict }) => [test, verdict]),
    )
    t.equal(verdicts['s/breaks'], 'pass', stdout)
    for (const later of ['s/tap', 's/exit', 's/module']) {
      if (name === 'sound') {
        t.equal(verdicts[later], 'pass', stdout)
      } else {
        t.match(verdicts[later], /^(error|blocked)$/, `${later}: ${stdout}`)
      }
    }
    t.equal(exitCode === 0, name === 'sound', `exit code ${exitCode}`)
  })
}
