/** A server that drops connections now and then, as dropbear does: doctor tries again, as a run does. */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Report } from '../src/doctor/finding.js'
import { password, realShell, type ServerOptions, startServer } from '../src/remote/server.test.fixture.js'
import { guestcert } from './cli-io.js'

t.setTimeout(120_000)
process.env.DROPS_SECRET = password
const os = readFileSync('/etc/os-release', 'utf8')
const [, product = ''] = /^ID=(.*)$/m.exec(os) ?? []
const [, version = ''] = /^VERSION_ID="(.*)"$/m.exec(os) ?? []

async function statesOn(t: Test, options: ServerOptions): Promise<Record<string, string>> {
  const server = await startServer(options)
  t.teardown(() => server.close())
  const cwd = t.testdir({
    'lab.yaml': `lab: drops
hosts: { here: { product: none, version: "1", driver: static } }
guests:
  one:
    product: ${product}
    version: "${version}"
    arch: x86_64
    login: { user: root, password: env:DROPS_SECRET, hostKey: "${server.fingerprints[0]}" }
    on: { here: { address: "127.0.0.1:${server.port}", configuration: {} } }
suites: [builtin]
`,
  })
  const { stdout } = await guestcert(['doctor', 'lab.yaml', '--json', '--free-space', '1KiB'], { cwd })
  const { subjects } = JSON.parse(stdout) as Report
  return Object.fromEntries(
    subjects
      .flatMap(({ findings }) => findings)
      .map(({ check, state, seen }) => [check, `${state}: ${seen}`]),
  )
}

const answer = realShell()

const drops: Readonly<Record<string, () => ServerOptions>> = {
  'every other connection as soon as it is logged in': () => {
    let count = 0
    return {
      onConnection: connection => {
        count += 1
        if (count % 2 === 1) connection.on('ready', () => connection.end())
      },
    }
  },
  'the connection of the first commands': () => {
    let count = 0
    return {
      exec: (command, channel, connection) => {
        count += 1
        if (count < 3) connection.end()
        else answer(command, channel, connection)
      },
    }
  },
  'the first two connections at their second command': () => {
    const commands = new Map<unknown, number>()
    return {
      exec: (command, channel, connection) => {
        const count = (commands.get(connection) ?? 0) + 1
        commands.set(connection, count)
        if (count > 1 && commands.size < 3) connection.end()
        else answer(command, channel, connection)
      },
    }
  },
}

for (const [what, options] of Object.entries(drops)) {
  t.test(`nothing is missing where a server drops ${what}`, async t => {
    const states = await statesOn(t, options())
    for (const check of ['reachable', 'host key', 'login', 'product', 'version', 'clock', 'free space']) {
      t.match(states[check], /^ok: /, `${check}: ${states[check]}`)
    }
  })
}

t.test('a server that drops every connection is missing, and does not keep doctor for ever', async t => {
  const states = await statesOn(t, {
    onConnection: connection => connection.on('ready', () => connection.end()),
  })
  t.match(states.login, /^missing: /)
})
