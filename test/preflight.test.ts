/** What a run would wait for in vain is said at its beginning. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { guestcertProcess } from './cli-process.js'

t.setTimeout(120_000)

const guest = (id: string, address: string, login: string): string =>
  `  ${id}: { product: debian, version: "12", arch: x86_64, login: { user: root, hostKey: "SHA256:${'A'.repeat(43)}", ${login} }, on: { here: { address: "${address}", configuration: {} } } }`

t.test('names that do not resolve, and keys and passwords that cannot be read, are said at once', async t => {
  const folder = t.testdir({
    'lab.yaml': `lab: vain
defaults: { retries: 0, limits: { boot: 1h, login: 1h } }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
${guest('nameless', 'no-such-host.invalid:22', 'password: env:PREFLIGHT_SECRET')}
${guest('keyless', '127.0.0.1:9', 'key: "file:none/key"')}
${guest('broken', '127.0.0.1:9', 'key: "file:broken"')}
${guest('unset', '127.0.0.1:9', 'password: env:PREFLIGHT_UNSET')}
${guest('well', '127.0.0.1:9', 'password: env:PREFLIGHT_SECRET')}
suites: [builtin]
`,
  })
  await writeFile(join(folder, 'broken'), 'no key\n')
  const [program, ...args] = guestcertProcess
  const runner = spawn(program, [...args, 'run', 'lab.yaml', '--parallel', '8'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: folder, SSH_AUTH_SOCK: '', PREFLIGHT_SECRET: 'A-secret-0f-the-test' },
  })
  const expected = [
    /guestcert: nameless: the name no-such-host\.invalid does not resolve \(\w+\)/,
    /guestcert: keyless: .*none\/key, which cannot be read \(ENOENT\)/,
    /guestcert: broken: the private key .*broken /,
    /guestcert: unset: the password .* PREFLIGHT_UNSET, which is not set/,
  ]
  let said = ''
  let isSent = false
  runner.stderr?.on('data', chunk => {
    said += String(chunk)
    if (expected.every(line => line.test(said)) && !isSent) {
      isSent = true
      runner.kill('SIGINT')
    }
  })
  const [code] = (await once(runner, 'close')) as [number | null]
  t.equal(code, 130, said)
  for (const line of expected) t.match(said, line)
  t.notMatch(said, /guestcert: well:/)
})
