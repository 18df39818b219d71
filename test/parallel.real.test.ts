/** Needs Debian's openssh-server, and root. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { parse } from 'yaml'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent } from '../src/journal/events.js'
import { type OpenSsh, startOpenSsh } from '../src/remote/openssh.test.fixture.js'
import { guestcertProcess } from './cli-process.js'

t.setTimeout(900_000)

const rounds = Array.from({ length: 20 }, (_, index) => index + 1)
const [program, ...args] = guestcertProcess

/** The shipped tests that say `parallel`, each of them many times, in a suite of their own. */
function makeSuite(folder: string): string[] {
  const core = join(packageRoot, 'suites/core')
  cpSync(core, folder, { recursive: true, filter: path => !/[.](ts|yaml)$/.test(path) })
  const manifest = parse(readFileSync(join(core, 'suite.yaml'), 'utf8')) as {
    tests: readonly { readonly id: string; readonly parallel?: true; readonly proof?: object }[]
  }
  const tests = manifest.tests.filter(({ parallel }) => parallel === true)
  const repeated = tests.map(({ proof: _, ...test }) => ({ ...test, parameters: { round: rounds } }))
  writeFileSync(
    join(folder, 'suite.yaml'),
    JSON.stringify({ suite: 'rounds', version: '1.0.0', title: 'Many rounds', tests: repeated }),
  )
  return tests.map(({ id }) => id)
}

function guest(id: string, { port, keyPath, hostKeys }: OpenSsh): string {
  const login = `{ user: root, key: "file:${keyPath}", hostKey: "${Object.values(hostKeys)[0]}" }`
  return `  ${id}: { product: linux, version: "1", arch: x86_64, login: ${login}, on: { here: { address: "127.0.0.1:${port}", configuration: { vcpus: 1, memory: 512MiB } } } }\n`
}

/** The verdict of each test, by guest, and how many ran at once at most. */
async function pass(folder: string): Promise<Map<string, { verdicts: string[]; atOnce: number }>> {
  const { stdout } = await execa(program, [...args, 'run', 'lab.yaml', '-o', 'reports', '-q'], {
    cwd: folder,
    reject: false,
    stdin: 'ignore',
  })
  const journal = await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8').catch(() => {
    throw new Error(stdout)
  })
  const found = new Map<string, { verdicts: string[]; atOnce: number; running: number }>()
  for (const line of journal.trimEnd().split('\n')) {
    const event = JSON.parse(line) as JournalEvent
    if (!('test' in event) || event.type === 'check') continue
    const [id = ''] = event.environment.split('@')
    const of = found.get(id) ?? { verdicts: [], atOnce: 0, running: 0 }
    found.set(id, of)
    of.running += event.type === 'test-started' ? 1 : -1
    of.atOnce = Math.max(of.atOnce, of.running)
    if (event.type === 'test-ended') of.verdicts.push(`${event.test} ${event.verdict}`)
  }
  return found
}

t.test('shipped tests have the same verdicts beside each other, on servers wide and narrow', async t => {
  const servers = {
    wide: await startOpenSsh(),
    two: await startOpenSsh(['MaxSessions 2']),
    one: await startOpenSsh(['MaxSessions 1']),
  }
  t.teardown(() => Promise.all(Object.values(servers).map(server => server.close())))
  const folder = t.testdir({ suite: {} })
  const tests = makeSuite(join(folder, 'suite'))
  t.ok(tests.length > 3, tests.join(', '))
  const lab = (atOnce: number): string => `lab: parallel-${process.pid}
defaults: { limits: { parallelTests: ${atOnce} }, parallel: 1, retries: 0 }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
${Object.entries(servers)
  .map(([id, server]) => guest(id, server))
  .join('')}suites: [./suite]
`
  writeFileSync(join(folder, 'lab.yaml'), lab(1))
  const alone = await pass(folder)
  writeFileSync(join(folder, 'lab.yaml'), lab(4))
  const beside = await pass(folder)
  for (const id of Object.keys(servers)) {
    const wanted = alone.get(id)?.verdicts ?? []
    t.equal(wanted.length, tests.length * rounds.length + 1)
    t.notMatch(wanted.join('\n'), / (error|blocked|not-run)$/m, 'each was carried out')
    t.same([...(beside.get(id)?.verdicts ?? [])].sort(), [...wanted].sort(), id)
    t.equal(alone.get(id)?.atOnce, 1)
  }
  t.equal(beside.get('wide')?.atOnce, 4)
})
