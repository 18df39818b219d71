import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent, TestEnded } from '../src/journal/events.js'
import { guestcert } from './cli-io.js'

t.setTimeout(240_000)

/** Guests that are lost when their first test is to begin, before its first line. */
const labOf = (faults: string, retries: number): string => `lab: early
defaults: { limits: { boot: 40s, recovery: 20s }, retries: ${retries} }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  deb: { product: debian, version: "12", arch: x86_64, emulated: debian-12, faults: { ${faults} }, on: { here: { configuration: {} } } }
suites: [${join(packageRoot, 'fixtures/test-suites/steady')}]
`

interface Result {
  readonly test: string
  readonly verdict: string
  readonly cause?: string
  readonly reason?: string
  readonly flaky?: boolean
}

async function pass(
  folder: string,
): Promise<{ code: number; ended: readonly TestEnded[]; results: readonly Result[] }> {
  const { code } = await guestcert(['run', join(folder, 'lab.yaml'), '-o', join(folder, 'reports'), '-q'])
  const run = join(folder, 'reports/latest')
  const journal = (await readFile(join(run, 'journal.ndjson'), 'utf8')).trimEnd().split('\n')
  const events = journal.map(line => JSON.parse(line) as JournalEvent)
  const summary = JSON.parse(await readFile(join(run, 'summary.json'), 'utf8')) as {
    environments: { tests: Result[] }[]
  }
  return {
    code,
    ended: events.flatMap(event => (event.type === 'test-ended' ? [event] : [])),
    results: summary.environments.flatMap(({ tests }) => tests),
  }
}

const dropped = 'drop: { command: first.sh, afterBytes: 0, times: 1 }'

t.test(
  'a connection lost before the first line of the first test is tried again, and no test flaked',
  async t => {
    const { code, ended, results } = await pass(t.testdir({ 'lab.yaml': labOf(dropped, 1) }))
    t.equal(code, 0)
    t.match(results, [
      { test: 'guestcert/boot', verdict: 'pass', flaky: true },
      { test: 'steady/first', verdict: 'pass', flaky: undefined },
      { test: 'steady/second', verdict: 'pass', flaky: undefined },
    ])
    t.match(
      ended.map(({ test, verdict, cause, final }) => [test, verdict, cause, final]),
      [
        ['guestcert/boot', 'pass', undefined, true],
        ['steady/first', 'blocked', 'network', false],
        ['guestcert/boot', 'error', 'network', false],
        ['guestcert/boot', 'pass', undefined, true],
        ['steady/first', 'pass', undefined, true],
        ['steady/second', 'pass', undefined, true],
      ],
    )
  },
)

t.test(
  'what ends for good so early is the bring-up that failed, and tests behind it are blocked',
  async t => {
    const { code, results } = await pass(t.testdir({ 'lab.yaml': labOf(dropped, 0) }))
    t.equal(code, 3)
    t.match(results, [
      {
        test: 'guestcert/boot',
        verdict: 'error',
        cause: 'network',
        reason: /^before any test had begun: .*same boot identity/,
      },
      { test: 'steady/first', verdict: 'blocked', cause: 'network', reason: /see guestcert\/boot/ },
      { test: 'steady/second', verdict: 'blocked', cause: 'network' },
    ])
  },
)
