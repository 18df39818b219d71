import { readFile } from 'node:fs/promises'
import { release } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { loadGuestPersona } from '../emulator/persona/load.js'
import { packageRoot } from '../src/config/package-root.js'
import { startOpenSsh } from '../src/remote/openssh.test.fixture.js'
import { guestcert } from './cli-io.js'

t.test(
  'this machine, behind a real OpenSSH server, becomes a persona that loads',
  { timeout: 120_000 },
  async t => {
    const server = await startOpenSsh(['KexAlgorithms curve25519-sha256', 'Ciphers aes256-ctr,aes128-ctr'])
    t.teardown(() => server.close())
    const cwd = t.testdir({
      'lab.yaml': `lab: here
hosts: { here: { product: none, version: "1", driver: static } }
guests:
  this-machine:
    product: linux
    version: "1"
    arch: x86_64
    login: { user: ${server.login().user}, key: "file:${server.keyPath}", hostKey: "${server.hostKeys.ed25519}" }
    on: { here: { address: "127.0.0.1:${server.port}", configuration: {} } }
suites: [builtin]
`,
      'copy.yaml': `lab: copy
hosts: { here: { product: none, version: "1", driver: static } }
guests:
  copy:
    product: linux
    version: "1"
    arch: x86_64
    emulated: captured-here
    on: { here: { configuration: {} } }
suites: [builtin]
`,
    })
    const { code, stdout, stderr } = await guestcert(
      ['capture', 'lab.yaml', 'this-machine', '--name', 'captured-here'],
      { cwd, env: process.env },
    )
    t.equal(code, 0, stderr)
    const file = join(cwd, 'personas/captured-here.yaml')
    t.match(stdout, file)
    const persona = loadGuestPersona(file, [join(packageRoot, 'fixtures/personas')])
    t.match(persona, {
      persona: 'captured-here',
      product: 'linux',
      kernel: { from: 'captured', release: release() },
      ssh: {
        from: 'captured',
        hostKey: 'ed25519',
        algorithms: {
          kex: ['curve25519-sha256'],
          serverHostKey: ['ssh-ed25519'],
          cipher: ['aes256-ctr', 'aes128-ctr'],
        },
      },
    })
    t.equal(
      persona.files['/etc/os-release'] && 'text' in persona.files['/etc/os-release']
        ? persona.files['/etc/os-release'].text
        : '',
      await readFile('/etc/os-release', 'utf8'),
    )
    const seen = persona.processes.flatMap(({ list }) => list.map(({ args }) => args))
    t.notOk(
      seen.some(args => /\bps -ww\b/.test(args)),
      'our own session is not among the processes',
    )
    const copy = await guestcert(['run', 'copy.yaml', '--test', 'core/reachable'], { cwd, env: process.env })
    t.equal(copy.code, 0, `the copy runs at once: ${copy.stdout}${copy.stderr}`)
  },
)
