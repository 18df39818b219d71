/** Needs Debian's openssh-server, and root to make a user for the time of the test. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect } from './connect.js'
import type { Machine } from './machine.js'
import { startOpenSsh } from './openssh.test.fixture.js'
import { unique } from './server.test.fixture.js'
import { carry } from './transfer.js'

t.setTimeout(300_000)
const ssh = await startOpenSsh(['PasswordAuthentication no'])
const user = `gctest${process.pid}`
const home = join(ssh.folder, 'home')
mkdirSync(home)
execFileSync('useradd', ['-M', '-d', home, '-s', '/bin/sh', '-p', '*', user])
execFileSync('chown', [user, home])
chmodSync(ssh.folder, 0o755)
t.teardown(async () => {
  await ssh.close()
  execFileSync('userdel', ['-f', user], { stdio: 'ignore' })
})

const alone = {
  sshConfigPath: null,
  environment: { SUDO: 'the S3cret' },
  home,
  mark: `shells/${process.pid}`,
} as const

async function using(shell: string, work: (machine: Machine) => Promise<void>, login = {}): Promise<void> {
  execFileSync('usermod', ['-s', shell, user])
  const machine = await connect(ssh.target({ login: ssh.login({ user, ...login }) }), alone)
  try {
    await work(machine)
  } finally {
    await machine.close()
  }
}

const tools = join(ssh.folder, 'busybox')
mkdirSync(tools)
const hasBusybox = existsSync('/usr/bin/busybox')
for (const applet of hasBusybox
  ? ['sh', 'tar', 'mkdir', 'cat', 'head', 'tr', 'sed', 'sleep', 'setsid', 'ps', 'grep']
  : []) {
  symlinkSync('/usr/bin/busybox', join(tools, applet))
}

const nasty = `it's "$HOME" \\ \\\\ \\n ! !! ^a^b \`x\` $(y) *?[a] #c ~ % {a,b} & ; | < > é`
const shells = [
  ['/bin/sh', 'dash'],
  ['/bin/bash', 'bash'],
  ['/usr/bin/ksh', 'ksh'],
  ['/usr/bin/mksh', 'mksh'],
  ['/usr/bin/zsh', 'zsh'],
  ['/usr/bin/tcsh', 'tcsh'],
  ['/usr/bin/fish', 'fish'],
  [join(tools, 'sh'), 'busybox'],
] as const

for (const [shell, debianPackage] of shells) {
  const skip = existsSync(shell)
    ? {}
    : { skip: `${shell} is missing: install the Debian package ${debianPackage}` }
  t.test(`a user whose login shell is ${debianPackage}`, skip, async t => {
    await using(shell, async machine => {
      const word = `'${nasty.replaceAll("'", `'\\''`)}'`
      t.equal((await machine.run(`printf '%s' ${word}`)).stdout.text, nasty, 'one line')
      t.equal((await machine.run(`cat <<'E'\n${nasty}\n\nE\n`)).stdout.text, `${nasty}\n\n`, 'several lines')
      t.equal((await machine.run('cat', { stdin: Buffer.from('in') })).stdout.text, 'in')
      t.match((await machine.run('exit 3')).exit, { code: 3 })
      t.match((await machine.run('kill -TERM $$')).exit, { kind: 'signal', signal: 'SIGTERM' })
      const env = { MINE: nasty }
      t.equal((await machine.run('sh -c \'printf %s "$MINE"\'', { env })).stdout.text, nasty)
      const result = await machine.run(unique('echo begun; sleep 4101 & setsid sleep 4102 & sleep 4103'), {
        limitMs: 500,
      })
      t.match(result, { exit: { kind: 'limit' }, stdout: { text: 'begun\n' } })
      t.equal((await machine.run(unique("ps ax -o args | grep '[s]leep 410'"))).stdout.text, '')
      t.notOk(machine.lost.aborted, 'a user who is not root stops and sees its own')
    })
  })
}

t.test(
  'a machine that has busybox alone',
  hasBusybox ? {} : { skip: 'install the Debian package busybox' },
  async t => {
    await using(join(tools, 'sh'), async machine => {
      const env = { PATH: tools }
      const run = `PATH=${tools}; export PATH; `
      t.match((await machine.run('head --help 2>&1', { env })).stdout.text, /BusyBox/)
      await machine.run(unique('setsid sleep 4111 >/dev/null 2>&1 &'), { env })
      const { sweepCommand } = await import('./shells/sweep.js')
      const { stdout } = await machine.run(`${run}${sweepCommand({ mark: `shells/${process.pid}` })}`)
      t.equal(stdout.text, 'gc-swept 1\n')
      t.equal((await machine.run(unique("ps ax -o args | grep '[s]leep 4111'"))).stdout.text, '')
      const folder = join(home, 'carried')
      const files = [{ path: 'a/b', mode: 0o755, content: Buffer.from('b') }]
      const { uploadCommand } = await import('./transfer.js')
      const { command, stdin } = await uploadCommand(files, folder)
      t.match((await machine.run(command, { env, stdin })).exit, { code: 0 })
      t.equal((await machine.run(`cat ${folder}/a/b`)).stdout.text, 'b')
    })
  },
)

t.test('a user who is not root carries files for itself alone', async t => {
  await using('/bin/sh', async machine => {
    const folder = join(home, 'own')
    await carry(machine, [{ path: 'x', mode: 0o755, content: Buffer.from('x') }], folder, { limitMs: 10_000 })
    t.equal(
      (await machine.run(`stat -c '%a %U' ${folder} ${folder}/x`)).stdout.text,
      `700 ${user}\n700 ${user}\n`,
    )
    await t.rejects(carry(machine, [], '/root/none', { limitMs: 10_000 }), {
      name: 'InfraError',
      message: /Permission denied/,
    })
  })
})

const hasSudo = existsSync('/usr/bin/sudo')
t.test('sudo', hasSudo ? {} : { skip: 'install the Debian package sudo' }, async t => {
  const rules = `/etc/sudoers.d/${user}`
  t.teardown(() => execFileSync('rm', ['-f', rules]))
  execFileSync('chpasswd', { input: `${user}:the S3cret\n` })
  for (const [what, rule, sudo] of [
    ['with a password', 'ALL', { password: { kind: 'env', name: 'SUDO' } }],
    ['with a password and a terminal of its own', 'ALL', { password: { kind: 'env', name: 'SUDO' } }],
    ['with a password that is not asked for', 'NOPASSWD: ALL', { password: { kind: 'env', name: 'SUDO' } }],
    ['without one', 'NOPASSWD: ALL', {}],
  ] as const) {
    const pty = what.includes('terminal') ? 'use_pty' : '!use_pty'
    writeFileSync(rules, `Defaults:${user} ${pty}, lecture=never\n${user} ALL=(ALL) ${rule}\n`)
    chmodSync(rules, 0o440)
    await using(
      '/bin/sh',
      async machine => {
        const result = await machine.run('id -u; printf "%s %s %s\\n" "$HOME" "$TZ" "$MINE"; cat; exit 4', {
          stdin: Buffer.from('in\nput'),
          env: { MINE: nasty },
        })
        t.match(
          result,
          { exit: { kind: 'code', code: 4 }, stdout: { text: `0\n/root UTC ${nasty}\nin\nput` } },
          what,
        )
        const stopped = await machine.run(unique('echo begun; sleep 4121 & setsid sleep 4122 & sleep 4123'), {
          limitMs: 1500,
        })
        t.match(stopped, { exit: { kind: 'limit' }, stdout: { text: 'begun\n' } })
        t.equal((await machine.run(unique("ps ax -o args | grep '[s]leep 412'"))).stdout.text, '')
        t.notOk(machine.lost.aborted)
        const seen = await machine.run("cat /proc/*/cmdline | tr '\\000' ' '; echo; env")
        t.notMatch(seen.stdout.text, 'S3cret', 'the password is in no argument and no variable')
      },
      { sudo },
    )
  }
  writeFileSync(rules, `${user} ALL=(ALL) ALL\n`)
  await using(
    '/bin/sh',
    async machine => {
      await t.rejects(machine.run('true'), {
        name: 'InfraError',
        message: /sudo did not start the command: .*a password is required/,
        context: { code: 'authentication' },
      })
    },
    { sudo: {} },
  )
})
