/** SSH servers that say what is not so: whatever they say, a test that never passes on a sound guest passes on none. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import ssh2 from 'ssh2'
import t from 'tap'
import { keyPair } from '../src/remote/server.test.fixture.js'
import { guestcertProcess } from './cli-process.js'
import { type Asked, type Misbehaviour, startMisbehaving } from './misbehaving-server.js'

/** The tests of the suite. `first` passes on a sound guest, the others fail. */
const tests = ['first', 'second', 'third', 'module'] as const
type TestName = (typeof tests)[number]

const passing = 'TAP version 14\nok 1 - forged\n1..1\n'
/** How a sound server answers a command that prints this and ends with 0. */
const whole = ({ nonce, last }: Asked): string => `${nonce} 4242\n${passing}${last} 0\n`

function end({ channel, tell }: Asked, status = 0): void {
  tell.status(status)
  channel.end()
}

/** Writes this, then tells this status and ends well. */
const says =
  (text: (asked: Asked) => string | Buffer, status = 0): Misbehaviour['answer'] =>
  asked => {
    asked.channel.write(text(asked))
    end(asked, status)
  }

const scripts = /\.\/(?:second|third)\.sh|LOG-OF-THE-MODULE/
const cases: Readonly<Record<string, Misbehaviour['answer'] | Misbehaviour>> = {
  'ends-at-once': asked => end(asked),
  'ends-at-once-with-255': asked => end(asked, 255),
  'canned-output': says(() => passing),
  'lines-of-another-command': says(() => `gc0123456789abcdef 4242\n${passing}gc0123456789abcdefe00 0\n`),
  'replayed-output': {
    towards: scripts,
    learn: asked => {
      if (/\.\/first\.sh/.test(asked.command)) {
        asked.memory.set('output', whole(asked))
      }
    },
    answer: asked => says(() => asked.memory.get('output') ?? 'nothing was learnt')(asked),
  },
  'first-line-alone': says(({ nonce }) => `${nonce} 4242\n`),
  'no-last-line': says(({ nonce }) => `${nonce} 4242\n${passing}`),
  'last-line-alone': says(({ last }) => `${passing}${last} 0\n`),
  'half-a-last-line': says(({ nonce, last }) => `${nonce} 4242\n${passing}${last} 0`),
  'last-line-of-another-command': says(
    ({ nonce }) => `${nonce} 4242\n${passing}${nonce}e0123456789abcdef 0\n`,
  ),
  'last-line-with-another-status': says(({ nonce, last }) => `${nonce} 4242\n${passing}${last} 1\n`),
  'server-with-another-status': says(whole, 1),
  'output-behind-the-last-line': says(asked => `${whole(asked)}ok 2 - more\n`),
  'two-first-lines': says(asked => `${asked.nonce} 4242\n${whole(asked)}`),
  'two-last-lines': says(asked => `${whole(asked)}${asked.last} 0\n`),
  'nothing-but-errors': asked => {
    asked.channel.stderr.write(whole(asked))
    end(asked)
  },
  'noise-alone': says(() => Buffer.alloc(200_000, 'Welcome! ')),
  'status-then-signal': asked => {
    asked.channel.write(whole(asked))
    asked.tell.status(0)
    asked.tell.signal('SEGV')
    asked.channel.end()
  },
  'signal-then-status': asked => {
    asked.channel.write(whole(asked))
    asked.tell.signal('SEGV')
    end(asked)
  },
  'two-statuses': asked => {
    asked.channel.write(whole(asked))
    asked.tell.status(0)
    end(asked)
  },
  'no-status': asked => {
    asked.channel.write(whole(asked))
    asked.channel.end()
  },
  'no-end-of-file': asked => {
    asked.channel.write(whole(asked))
    asked.tell.status(0)
  },
  'cut-then-drop': asked => {
    asked.channel.write(`${asked.nonce} 4242\n${passing}`)
    asked.tell.status(0)
    setImmediate(() => asked.connection.end())
  },
  'whole-then-drop': asked => {
    asked.channel.write(whole(asked))
    asked.tell.status(0)
    setImmediate(() => asked.connection.end())
  },
}

const suite = {
  'suite.yaml': `suite: s
version: 1.0.0
title: Tests of which only the first passes
tests:
  - { id: first, title: First, requirements: [X-1], level: required, script: first.sh, protocol: tap, limit: 20s }
  - { id: second, title: Second, requirements: [X-2], level: required, script: second.sh, protocol: tap, limit: 20s }
  - { id: third, title: Third, requirements: [X-3], level: required, script: third.sh, protocol: exit, limit: 20s }
  - { id: module, title: Module, requirements: [X-4], level: required, module: log.ts, limit: 20s }
`,
  'first.sh': '#!/bin/sh\n. "$GUESTCERT/tap.sh"\nis 1 1 "one is one"\ndone_testing\n',
  'second.sh': '#!/bin/sh\n. "$GUESTCERT/tap.sh"\nis 1 2 "it never passes"\ndone_testing\n',
  'third.sh': '#!/bin/sh\nexit 1\n',
  'log.ts': `import { test } from 'guestcert/api'
export default test(async ({ guest, expect }) => {
  const { stdout, succeeded } = await guest.run('echo BUG; : LOG-OF-THE-MODULE')
  expect(succeeded).toBe(true, 'the log was read')
  expect(stdout).not.toMatch(/BUG/, 'it has no BUG')
})
`,
}

interface Seen {
  readonly test: string
  readonly verdict: string
  readonly reason?: string
}

t.test('no invention of an SSH server becomes a pass', async t => {
  const { private: key } = keyPair('ed25519')
  const parsed = ssh2.utils.parseKey(key)
  if (parsed instanceof Error) {
    throw parsed
  }
  const print = createHash('sha256').update(parsed.getPublicSSH()).digest('base64').replace(/=+$/, '')
  const sound: Misbehaviour = { towards: /a command that nobody sends/, answer: () => {} }
  const all = Object.entries({ sound, ...cases })
  const servers = await Promise.all(
    all.map(async ([name, given]) => {
      const misbehaviour = typeof given === 'function' ? { towards: scripts, answer: given } : given
      return [name, await startMisbehaving(misbehaviour, key)] as const
    }),
  )
  t.teardown(() => Promise.all(servers.map(([, server]) => server.close())))
  const guests = servers.map(
    ([name, { port }]) => `
  ${name}:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, password: env:PW, hostKey: "SHA256:${print}" }
    on: { here: { address: "127.0.0.1:${port}", configuration: {} } }`,
  )
  const folder = t.testdir({
    s: suite,
    'lab.yaml': `lab: misbehaving-${process.pid}
defaults:
  retries: 0
  parallel: 4
  limits: { boot: 60s, drain: 500ms, recovery: 60s }
hosts:
  here: { product: rhel-kvm, version: "9.6", driver: static }
guests:${guests.join('')}
suites: [./s]
`,
  })
  const [program, ...args] = guestcertProcess
  const { stdout } = await execa(program, [...args, 'run', 'lab.yaml', '--output', 'reports'], {
    cwd: folder,
    reject: false,
    stdin: 'ignore',
    env: { PW: 'any' },
  })
  const text = await readFile(join(folder, 'reports/latest/summary.json'), 'utf8').catch(() => stdout)
  const { environments } = JSON.parse(text) as {
    environments: readonly { readonly id: string; readonly tests: readonly Seen[] }[]
  }
  const of = (guest: string, name: TestName): Seen | undefined =>
    environments.find(({ id }) => id.startsWith(`${guest}@`))?.tests.find(({ test }) => test === `s/${name}`)
  t.same(
    tests.map(name => of('sound', name)?.verdict),
    ['pass', 'fail', 'fail', 'fail'],
    `the sound guest: ${stdout.slice(-2000)}`,
  )
  for (const [name, server] of servers.slice(1)) {
    t.equal(server.fired(), 3, `${name}: it misbehaved ${server.fired()} times`)
    for (const test of ['second', 'third', 'module'] as const) {
      const seen = of(name, test)
      t.equal(seen?.verdict, 'error', `${name}, ${test}: ${seen?.reason}`)
    }
  }
})

t.test('a server that answers with success whatever it is asked is refused on first contact', async t => {
  const { private: key } = keyPair('ed25519')
  for (const [what, answer] of [
    ['that carries nothing out', (asked: Asked) => end(asked)],
    ['that carries all out', says(whole)],
    [
      'whose lines are true',
      says(asked => `${asked.nonce} 4242\n${asked.last} ${/exit;exit (\d+)/.exec(asked.command)?.[1]}\n`),
    ],
  ] as const) {
    const server = await startMisbehaving({ towards: /./s, answer }, key)
    const folder = t.testdir({
      s: suite,
      'lab.yaml': `lab: liar-${process.pid}
defaults: { limits: { boot: 60s } }
hosts:
  here: { product: rhel-kvm, version: "9.6", driver: static }
guests:
  liar:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, password: env:PW, hostKey: accept-new }
    on: { here: { address: "127.0.0.1:${server.port}", configuration: {} } }
suites: [./s]
`,
    })
    const [program, ...args] = guestcertProcess
    const options = { cwd: folder, reject: false, stdin: 'ignore', env: { PW: 'any' } } as const
    const run = await execa(program, [...args, 'run', 'lab.yaml', '--output', 'reports'], options)
    t.not(run.exitCode, 0, what)
    t.match(run.stdout, /exit statuses of this SSH server cannot be trusted/, what)
    const doctor = await execa(program, [...args, 'doctor', 'lab.yaml'], options)
    t.not(doctor.exitCode, 0, `${what}: doctor`)
    t.match(doctor.stdout, /exit statuses of this SSH server cannot be trusted/, `${what}: doctor`)
    t.ok(server.fired() > 0, `${what}: it misbehaved ${server.fired()} times`)
    await server.close()
  }
})
