/** What a guest is told in confidence and says back stands in nothing that a run leaves or shows. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { type ServerOptions, startServer, type TestServer } from '../src/remote/server.test.fixture.js'
import { guestcertProcess } from './cli-process.js'

t.setTimeout(120_000)
const secret = `Pa55&word-"of"-the-guest`
const base64 = Buffer.from(secret).toString('base64')
const hex = Buffer.from(secret).toString('hex')

/** A TAP script that says a secret in every way: in checks, diagnostics, noise, without a line end, piece by piece. */
const script = `#!/bin/sh
s='${secret}'
echo "1..4"
echo "ok 1 - it is $s"
echo "not ok 2 - user:$s@host"
echo "  ---"
echo "  message: |"
echo "    $s"
echo "  encoded: ${base64}"
echo "  ..."
printf '# '; printf 'Pa55&wo'; sleep 0.2; printf 'rd-"of"-the-guest\\n'
printf '# Pa55&word-\\n#    "of"-the-guest\\n'
printf '# Pa55\\033[31m&word-"of"\\033[0m-the-guest\\n'
echo "ok 3 - ${hex}"
echo "ok 4 - $s # SKIP $s"
echo "$s" >&2
printf '%s' "$s" >&2
exit 1
`

const module = `import { test } from 'guestcert/api'
export default test(async ({ guest, expect }) => {
  console.log(${JSON.stringify(secret)})
  const { stdout } = await guest.run('echo ' + ${JSON.stringify(`'${secret}'`)})
  expect(stdout).toBe('something else', 'it says ' + stdout)
  throw new Error('it said ' + stdout)
})
`

async function guestOf(t: Test, options: ServerOptions = {}): Promise<TestServer> {
  const server = await startServer(options)
  t.teardown(() => server.close())
  return server
}

interface Left {
  readonly code: number
  readonly said: string
  /** Every file below the reports, by its path. */
  readonly files: ReadonlyMap<string, string>
}

async function runOn(
  t: Test,
  server: TestServer,
  password: string,
  more: readonly string[] = [],
): Promise<Left> {
  const folder = t.testdir({
    'lab.yaml': `lab: secrets
defaults: { retries: 0, limits: { boot: 20s, login: 1s } }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  deb:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, password: env:GUEST_SECRET, hostKey: "${server.fingerprints[0]}" }
    on: { here: { address: "127.0.0.1:${server.port}", configuration: { vcpus: 1 } } }
suites: [./tells]
`,
    tells: {
      'suite.yaml': `suite: tells
version: 1.0.0
title: Says what it was told
tests:
  - { id: script, title: A script, requirements: [S-1], level: required, script: a.sh, protocol: tap }
  - { id: module, title: A module, requirements: [S-2], level: required, module: a.ts }
`,
      'a.sh': script.replaceAll(secret, () => password),
      'a.ts': module,
    },
  })
  const [program, ...args] = guestcertProcess
  const { exitCode, all } = await execa(program, [...args, 'run', 'lab.yaml', ...more], {
    cwd: folder,
    env: { GUEST_SECRET: password, HOME: folder, SSH_AUTH_SOCK: '' },
    all: true,
    reject: false,
    stdin: 'ignore',
  })
  const names = await readdir(join(folder, 'reports'), { recursive: true, withFileTypes: true })
  const files = new Map<string, string>()
  for (const entry of names.filter(entry => entry.isFile())) {
    const path = join(entry.parentPath, entry.name)
    files.set(path.slice(folder.length), await readFile(path, 'utf8'))
  }
  return { code: exitCode ?? -1, said: all, files }
}

/** The secret, also where what a reader does not see stands between its characters. */
function tells(text: string): string | undefined {
  const visible = text.replace(/\x1b\[[0-9;]*m|\\u001b\[[0-9;]*m|[\r\n]+[ \t#]*/g, '')
  const forms = [secret, JSON.stringify(secret).slice(1, -1), secret.replace('&', '&amp;'), base64, hex]
  const parts = ['word-"of"-the', 'word-\\"of\\"-the', base64.slice(4, 24), hex.slice(4, 24)]
  return [...forms, ...parts].find(form => text.includes(form) || visible.includes(form))
}

t.test('a secret that a guest says back appears nowhere', async t => {
  const server = await guestOf(t, { banner: `welcome, your password is ${secret}\n` })
  for (const more of [[], ['--reporter', 'json']]) {
    const { code, said, files } = await runOn(t, server, secret, more)
    t.equal(code, 1, said)
    t.equal(tells(said), undefined, said)
    t.match(said, /\[secret\]/)
    t.ok([...files.keys()].some(path => path.includes('/evidence/')))
    t.ok([...files.keys()].some(path => path.endsWith('.xml')))
    for (const [path, text] of files) {
      t.equal(tells(text), undefined, path)
    }
    const journal = [...files].find(([path]) => path.endsWith('journal.ndjson'))?.[1] ?? ''
    t.match(journal, /"tells\/module".*it says \[secret\]/)
    t.match(journal, /"tells\/script".*it is \[secret\]/)
    t.match(journal, /user:\[secret\]@host/)
  }
})

t.test('nor does one that a server says while it refuses it', async t => {
  const server = await guestOf(t, {
    banner: `the wrong password is ${secret}\n`,
    authenticate: context => context.reject(['password']),
  })
  const { said, files } = await runOn(t, server, secret)
  t.match(said, /the server said: "the wrong password is \[secret\]"/)
  t.equal(tells(said), undefined, said)
  for (const [path, text] of files) t.equal(tells(text), undefined, path)
})

t.test('a weak secret is warned of, and its absence tells nobody what it is', async t => {
  const server = await guestOf(t)
  const { said, files } = await runOn(t, server, 'root')
  t.match(
    said,
    /lab\.yaml:5:\d+: the password of guest deb cannot be kept out of reports: it has fewer than 6/,
  )
  const journal = [...files].find(([path]) => path.endsWith('journal.ndjson'))?.[1] ?? ''
  t.match(journal, /user:root@host/)
  for (const [path, text] of files) t.notMatch(text, /\[secret\]/, path)
})
