import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcertProcess } from './cli-process.js'

const steady = join(packageRoot, 'fixtures/test-suites/steady')

const labWith = (suite: string): string => `lab: interrupted
defaults: { limits: { undo: 5s } }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  slow:
    product: debian
    version: "12"
    arch: x86_64
    emulated: debian-12
    faults: { hang: { command: first.sh } }
    on: { here: { configuration: {} } }
suites: [${suite}]
`

/** Interrupts a run while its first test hangs, and once more if asked to. */
async function interrupt(
  folder: string,
  twice: boolean,
): Promise<{ code: number | null; events: JournalEvent[] }> {
  const [program, ...args] = guestcertProcess
  const runner = spawn(program, [...args, 'run', 'lab.yaml', '-o', 'reports', '--reporter', 'json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let told = ''
  let isInterrupted = false
  runner.stdout.on('data', chunk => {
    told += String(chunk)
    if (/"test-started".*"steady\/first"/.test(told) && !isInterrupted) {
      isInterrupted = true
      runner.kill('SIGINT')
    }
  })
  runner.stderr.on('data', chunk => {
    if (twice && String(chunk).includes('Interrupt again to stop at once')) {
      // One key press may arrive several times: only a later one is a second.
      setTimeout(() => runner.kill('SIGINT'), 700)
    }
  })
  const [code] = (await once(runner, 'close')) as [number | null]
  const lines = (await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8')).trimEnd().split('\n')
  const events = lines.map(line => JSON.parse(line) as JournalEvent)
  return { code, events }
}

t.test('the first interrupt lets the test that runs come to its end, undoes, and begins nothing', async t => {
  const { code, events } = await interrupt(t.testdir({ 'lab.yaml': labWith(steady) }), false)
  t.equal(code, 130)
  const ended = events.flatMap(event =>
    event.type === 'test-ended' ? [`${event.test} ${event.verdict}`] : [],
  )
  t.same(ended, ['guestcert/boot pass', 'steady/first error'], 'its limit ends it')
  t.same(
    events.flatMap(event => (event.type === 'instance-ended' ? [event.undone] : [])),
    [['clean', 'disconnect', 'stop', 'remove']],
  )
  const closed = events.at(-1)
  t.match(closed, { type: 'run-closed', interrupted: true, exitCode: 130, counts: { 'not-run': 1 } })
})

t.test('the second interrupt stops now, and still undoes', async t => {
  const manifest = await readFile(join(steady, 'suite.yaml'), 'utf8')
  const scripts = ['first.sh', 'second.sh'].map(
    async name => [name, await readFile(join(steady, name), 'utf8')] as const,
  )
  const folder = t.testdir({
    'lab.yaml': labWith('./patient'),
    // With a limit that a test which is waited for would not reach before this file's own.
    patient: {
      'suite.yaml': manifest.replaceAll(/limit: \d+s/g, 'limit: 1h'),
      ...Object.fromEntries(await Promise.all(scripts)),
    },
  })
  const { code, events } = await interrupt(folder, true)
  t.equal(code, 130)
  t.notOk(
    events.some(event => event.type === 'test-ended' && event.test.startsWith('steady/')),
    'what was not observed has no verdict',
  )
  t.ok(events.some(({ type }) => type === 'instance-ended'))
  t.match(events.at(-1), { type: 'run-closed', counts: { pass: 1 }, interrupted: true })
})
