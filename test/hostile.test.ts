import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { SaxesParser } from 'saxes'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { Verdict } from '../src/journal/events.js'
import { guestcertProcess } from './cli-process.js'

const suites = join(packageRoot, 'fixtures/test-suites')

interface Misbehaviour {
  readonly fault: string
  /** What may become of `steady/first`, whose checks all hold; of the bring-up, where it does not get that far. */
  readonly verdict: Verdict
  readonly cause?: string
  /** True where the guest cannot be brought up. */
  readonly atBoot?: true
}

/** Each guest is sound but for one fault. Whatever it does, the first test is not a pass. */
const guests: Readonly<Record<string, Misbehaviour>> = {
  'drops-after-all-ok': {
    fault: 'drop: { command: first.sh, afterOutput: "1[.][.]3" }',
    verdict: 'error',
    cause: 'network',
  },
  'loses-the-status': { fault: 'lostStatus: { command: first.sh }', verdict: 'error', cause: 'unknown' },
  'exits-with-1': {
    fault: 'wrongStatus: { command: first.sh, exit: 1 }',
    verdict: 'error',
    cause: 'unknown',
  },
  hangs: { fault: 'hang: { command: first.sh, at: program }', verdict: 'error', cause: 'unknown' },
  'hangs-after-all-ok': { fault: 'hang: { command: first.sh, at: end }', verdict: 'error', cause: 'unknown' },
  'cuts-the-last-line': { fault: 'truncated: { command: first.sh }', verdict: 'error', cause: 'unknown' },
  'does-nothing': { fault: 'idle: { command: first.sh }', verdict: 'error', cause: 'unknown' },
  floods: { fault: 'flood: { command: first.sh }', verdict: 'error' },
  'is-killed': { fault: 'signalled: { command: first.sh }', verdict: 'error', cause: 'unknown' },
  'reboots-unexpectedly': { fault: 'unaskedReboot: { command: first.sh }', verdict: 'fail', cause: 'guest' },
  'has-another-host-key': {
    fault: 'wrongHostKey: true',
    verdict: 'error',
    cause: 'unknown',
    atBoot: true,
  },
  'refuses-the-key': { fault: 'refusedLogin: true', verdict: 'error', atBoot: true },
  'never-boots': { fault: 'neverBoots: true', verdict: 'error', cause: 'network', atBoot: true },
  'says-nothing': { fault: 'noBanner: true', verdict: 'error', cause: 'network', atBoot: true },
}

function lab(): string {
  const entries = Object.entries({ sound: { fault: '' }, ...guests }).map(
    ([id, { fault }]) => `
  ${id}:
    product: debian
    version: "12"
    arch: x86_64
    emulated: debian-12
    faults: { ${fault} }
    on: { here: { configuration: { vcpus: 1, memory: 512MiB } } }`,
  )
  return `lab: hostile
defaults:
  retries: 1
  parallel: 16
  limits: { boot: 20s, handshake: 5s, output: 1MiB, recovery: 15s }
hosts:
  here: { product: rhel-kvm, version: "9.6", driver: static }
guests:${entries.join('')}
suites: [${suites}/steady, ${suites}/unruly]
`
}

const sound = ['guestcert/boot pass', 'steady/first pass', 'steady/second pass', 'unruly/bytes fail']

interface Summary {
  readonly exitCode: number
  readonly environments: readonly {
    readonly id: string
    readonly tests: readonly {
      readonly test: string
      readonly verdict: Verdict
      readonly cause?: string
      readonly reason?: string
    }[]
  }[]
}

t.test('no misbehaviour of a guest becomes a pass', async t => {
  const folder = t.testdir({ 'lab.yaml': lab() })
  const [program, ...args] = guestcertProcess
  const { exitCode, stdout, stderr } = await execa(
    program,
    [...args, 'run', 'lab.yaml', '--output', 'reports'],
    { cwd: folder, reject: false, stdin: 'ignore' },
  )
  t.equal(exitCode, 1, stderr)
  const summary = JSON.parse(await readFile(join(folder, 'reports/latest/summary.json'), 'utf8')) as Summary
  const of = (guest: string): Summary['environments'][number]['tests'] =>
    summary.environments.find(({ id }) => id.startsWith(`${guest}@`))?.tests ?? []
  t.same(
    of('sound').map(({ test, verdict }) => `${test} ${verdict}`),
    sound,
    'the sound guest passes what it can',
  )
  for (const [guest, { verdict, cause, atBoot = false }] of Object.entries(guests)) {
    const [boot, ...tests] = of(guest).filter(({ test }) => !test.startsWith('unruly/'))
    t.equal(boot?.test, 'guestcert/boot')
    const [first, next] = atBoot ? [boot, ...tests] : tests
    if (!atBoot) {
      t.equal(boot?.verdict, 'pass', `${guest}: ${boot?.reason}`)
    }
    t.equal(first?.verdict, verdict, `${guest}: ${first?.reason}`)
    if (cause !== undefined) {
      t.equal(first?.cause, cause, `${guest}: the cause`)
    }
    t.equal(next?.verdict, atBoot ? 'blocked' : 'pass', `${guest}: the next test: ${next?.reason}`)
  }
  t.notMatch(stdout, /\x1b/, 'no escape of a guest reaches the terminal')
  await t.test('every JUnit file is well formed, and green only where a pass was seen', async t => {
    for (const kind of ['junit', 'junit-strict']) {
      for (const name of await readdir(join(folder, 'reports/latest', kind))) {
        const xml = await readFile(join(folder, 'reports/latest', kind, name), 'utf8')
        const parser = new SaxesParser()
        const mistakes: string[] = []
        parser.on('error', error => mistakes.push(error.message))
        parser.write(xml).close()
        t.same(mistakes, [], `${kind}/${name}`)
        const greens = xml
          .split('<testcase')
          .slice(1)
          .filter(text => !/<(error|failure|skipped)\b/.test(text))
        const passes = of(name.split('@')[0] ?? '').filter(({ verdict }) => verdict === 'pass')
        t.equal(greens.length, passes.length, `${kind}/${name}`)
      }
    }
  })
})
