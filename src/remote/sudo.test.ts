import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Sudo } from '../config/model.js'
import { connect } from './connect.js'
import type { Machine } from './machine.js'
import { alone, realShell, startServer, type TestServer, unique } from './server.test.fixture.js'
import { sweep } from './sweep.js'

const secret = "a' S3cret $HOME \\word"
const skip = process.platform === 'linux' ? {} : { skip: 'needs the processes of Linux' }

/** Does what sudo does with its flags, its standard input and the environment; root it is not. */
const fakeSudo = `#!/bin/sh
asks=yes
while :; do
  case $1 in
    -n) asks=never; shift;;
    -S) shift;;
    -p) shift 2;;
    -H) shift;;
    *) break;;
  esac
done
echo "$*" >> "$0.log"
if [ -e "$0.nopasswd" ]; then asks=no; fi
case $asks in
  never) echo "sudo: a password is required" >&2; exit 1;;
  yes)
    tries=3
    while [ $tries -gt 0 ]; do
      IFS= read -r given || break
      [ "$given" = "$(cat "$0.secret")" ] && break
      echo "Sorry, try again." >&2
      tries=$((tries-1))
    done
    [ "$given" = "$(cat "$0.secret")" ] || { echo "sudo: 3 incorrect password attempts" >&2; exit 1; };;
esac
exec env -i PATH=/usr/bin:/bin HOME=/root-of-sudo SUDO_USER=tester "$@"
`

interface Setup {
  readonly machine: Machine
  readonly server: TestServer
  readonly log: () => string
}

async function withSudo(
  folder: string,
  { sudo, needsPassword, password = secret }: { sudo: Sudo; needsPassword: boolean; password?: string },
  work: (setup: Setup) => Promise<void>,
): Promise<void> {
  const path = join(folder, 'sudo')
  writeFileSync(path, fakeSudo)
  chmodSync(path, 0o755)
  writeFileSync(`${path}.secret`, secret)
  if (!needsPassword) {
    writeFileSync(`${path}.nopasswd`, '')
  }
  const server = await startServer({
    exec: realShell(['/bin/sh'], { PATH: `${folder}:${process.env.PATH}` }),
  })
  const environment = { ...alone.environment, SUDO_PASSWORD: password }
  const mark = `sudo/${process.pid}`
  const machine = await connect(server.target({ login: { sudo } }), { ...alone, environment, mark })
  const log = (): string => (existsSync(`${path}.log`) ? readFileSync(`${path}.log`, 'utf8') : '')
  try {
    await work({ machine, server, log })
  } finally {
    await machine.close()
    await server.close()
  }
}

const withPassword: Sudo = { password: { kind: 'env', name: 'SUDO_PASSWORD' } }

for (const [what, sudo, needsPassword] of [
  ['a password that is asked for', withPassword, true],
  ['a password that is not asked for', withPassword, false],
  ['no password', {}, false],
] as const) {
  t.test(`${what}: commands run behind sudo, with their own input and our environment`, async t => {
    await withSudo(t.testdir(), { sudo, needsPassword }, async ({ machine, server, log }) => {
      const result = await machine.run('echo "$HOME $TZ $MINE $SUDO_USER"; cat; exit 5', {
        stdin: Buffer.from('the input\nof two lines'),
        env: { MINE: "it's mine" },
      })
      t.match(result, {
        exit: { kind: 'code', code: 5 },
        stdout: { text: "/root-of-sudo UTC it's mine tester\nthe input\nof two lines" },
        stderr: { text: '' },
      })
      t.match(await machine.run('echo one\necho "two $#"\ncat'), { stdout: { text: 'one\ntwo 0\n' } })
      t.notMatch(`${log()}${server.commands.join('\n')}`, 'S3cret', 'it is in no argument')
    })
  })
}

t.test('sudo that refuses is not a status of the command', async t => {
  await withSudo(t.testdir(), { sudo: {}, needsPassword: true }, async ({ machine }) => {
    await t.rejects(machine.run('exit 1'), {
      name: 'InfraError',
      message: /sudo did not start the command: sudo: a password is required/,
      context: { code: 'authentication', cause: 'unknown' },
    })
  })
  const wrong = 'wr0ng-S3cret'
  await withSudo(
    t.testdir(),
    { sudo: withPassword, needsPassword: true, password: wrong },
    async ({ machine }) => {
      const error: unknown = await machine.run('true', { stdin: Buffer.from(wrong) }).catch((e: unknown) => e)
      t.match(error, { name: 'InfraError', context: { code: 'authentication' } })
      t.match((error as Error).message, /incorrect password/)
      t.notMatch(`${(error as Error).message}${(error as Error).stack}`, wrong)
    },
  )
})

t.test('a sudo that is not there is told', async t => {
  const server = await startServer({ exec: realShell(['/bin/sh'], { PATH: t.testdir() }) })
  const machine = await connect(server.target({ login: { sudo: {} } }), alone)
  await t.rejects(machine.run('true'), { message: /sudo did not start the command: .*not found/ })
  await machine.close()
  await server.close()
})

t.test('limits and sweeps reach behind sudo', skip, async t => {
  await withSudo(t.testdir(), { sudo: withPassword, needsPassword: true }, async ({ machine }) => {
    const result = await machine.run(unique('echo begun; setsid sleep 3061 & sleep 3062'), { limitMs: 500 })
    t.match(result, { exit: { kind: 'limit' }, stdout: { text: 'begun\n' } })
    t.equal((await machine.run(unique("ps ax -o args | grep '[s]leep 306'"))).stdout.text, '')
    await machine.run(unique('setsid sleep 3063 >/dev/null 2>&1 &'))
    t.equal(await sweep(machine, `sudo/${process.pid}`, { limitMs: 15_000 }), 1)
    t.notOk(machine.lost.aborted)
  })
})
