import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent, TestEnded } from '../src/journal/events.js'
import { guestcert } from './cli-io.js'

t.setTimeout(240_000)

const sideBySide = join(packageRoot, 'fixtures/test-suites/side-by-side')
const [a, b, c] = ['a', 'b', 'c'].map(name => `side-by-side/together[name=${name}]`)

const labOf = (limits: string, guest = '', suite = sideBySide): string => `lab: parallel
defaults: { limits: { boot: 40s, recovery: 20s, ${limits} }, retries: 1 }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  deb: { product: debian, version: "12", arch: x86_64, emulated: debian-12, ${guest} on: { here: { configuration: {} } } }
suites: [${suite}]
`

interface Passed {
  readonly code: number
  readonly events: readonly JournalEvent[]
  readonly ended: readonly TestEnded[]
}

async function pass(folder: string): Promise<Passed> {
  const { code } = await guestcert(['run', join(folder, 'lab.yaml'), '-o', join(folder, 'reports'), '-q'])
  const journal = await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8')
  const events = journal
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as JournalEvent)
  const ended = events.flatMap(event =>
    event.type === 'test-ended' && event.test.startsWith('side-by-side/') ? [event] : [],
  )
  return { code, events, ended }
}

/** The most tests that had begun and not ended at any time. */
function mostAtOnce(events: readonly JournalEvent[]): number {
  let [running, most] = [0, 0]
  for (const event of events) {
    running += event.type === 'test-started' ? 1 : event.type === 'test-ended' ? -1 : 0
    most = Math.max(most, running)
  }
  return most
}

t.test('tests that say so run at once, in their place between those that run alone', async t => {
  const { code, events, ended } = await pass(t.testdir({ 'lab.yaml': labOf('test: 20s') }))
  t.equal(code, 0)
  t.equal(mostAtOnce(events), 3)
  const tests = ended.map(({ test, verdict }) => `${test} ${verdict}`)
  t.equal(tests[0], 'side-by-side/before pass')
  t.same([...tests.slice(1, 4)].sort(), [`${a} pass`, `${b} pass`, `${c} pass`])
  t.equal(tests[4], 'side-by-side/behind pass')
  const evidence = ended.flatMap(one => one.evidence.map(({ path }) => path))
  t.equal(new Set(evidence).size, evidence.length, 'each has files of its own')
})

t.test('no more run at once than the limit parallelTests allows', async t => {
  const { code, events } = await pass(t.testdir({ 'lab.yaml': labOf('parallelTests: 2, test: 20s') }))
  t.equal(code, 0)
  t.equal(mostAtOnce(events), 2)
})

t.test('a connection that is lost is lost to all of them, and each is tried again', async t => {
  const faults = 'faults: { drop: { command: together.sh, afterBytes: 0, times: 1 } },'
  const suite = {
    'suite.yaml': (await readFile(join(sideBySide, 'suite.yaml'), 'utf8')).replaceAll(
      'alone.sh',
      'before.sh',
    ),
    'before.sh': await readFile(join(sideBySide, 'alone.sh')),
    // On a new instance the first one runs alone: there is nobody to wait for.
    'together.sh': '. "$GUESTCERT/tap.sh"\nsleep 0.5\nok "it has slept"\ndone_testing\n',
  }
  const { code, ended } = await pass(t.testdir({ 'lab.yaml': labOf('test: 20s', faults, './suite'), suite }))
  t.equal(code, 0)
  const first = ended.filter(({ attempt, test }) => attempt === 1 && [a, b, c].includes(test))
  t.match(
    first.map(({ verdict, cause, final, reason }) => ({ verdict, cause, final, reason })),
    Array(3).fill({
      verdict: 'error',
      cause: 'network',
      final: false,
      reason: `same boot identity; tests in flight: ${a}, ${b}, ${c}`,
    }),
  )
  const again = ended.filter(({ attempt, test }) => attempt === 2 && [a, b, c].includes(test))
  t.same(
    again.map(({ verdict }) => verdict),
    ['pass', 'pass', 'pass'],
  )
})
