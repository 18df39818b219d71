/** Two runners and one machine. Needs Debian's openssh-server, and root. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause, setInterval } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { JournalEvent } from '../src/journal/events.js'
import { startOpenSsh } from '../src/remote/openssh.test.fixture.js'
import { guestcertProcess } from './cli-process.js'

const [program, ...args] = guestcertProcess
const lookEveryMs = 50
const limitMs = 60_000
t.setTimeout(600_000)
const ssh = await startOpenSsh()
t.teardown(() => ssh.close())

const lab = `lab: shared
defaults: { retries: 0, limits: { lease: 4s, leaseRenewal: 1s, leaseLook: 300ms, leaseWait: 40s, drain: 500ms } }
hosts: { here: { product: none, version: "1", driver: static } }
guests:
  this-machine:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, key: "file:${ssh.keyPath}", hostKey: "${ssh.hostKeys.ed25519}" }
    on: { here: { address: "127.0.0.1:${ssh.port}", configuration: {} } }
suites: [./suite]
`
const manifest = `suite: slow
version: 1.0.0
title: Takes its time
tests:
  - { id: waits, title: Waits, requirements: [S-1], level: required, script: waits.sh, protocol: tap }
  - { id: ends, title: Ends, requirements: [S-2], level: required, script: ends.sh, protocol: tap }
`

/** A lab whose first test says `work/begun`, and ends when `work/go` is there. */
async function folderFor(t: Test): Promise<string> {
  const folder = t.testdir({ 'lab.yaml': lab, suite: { 'suite.yaml': manifest }, work: {} })
  const work = join(folder, 'work')
  const waits = `#!/bin/sh
echo 1..1
: >${work}/begun
n=0
while [ ! -e ${work}/go ] && [ $n -lt 600 ];do sleep 0.1;n=$((n+1));done
echo ok 1
`
  await writeFile(join(folder, 'suite/waits.sh'), waits)
  await writeFile(join(folder, 'suite/ends.sh'), '#!/bin/sh\necho 1..1\necho ok 1\n')
  return folder
}

interface Runner {
  readonly process: ChildProcess
  readonly ended: Promise<number | null>
  text(): string
  events(): Promise<JournalEvent[]>
}

function start(folder: string, who: string): Runner {
  const reports = join(folder, `reports-${who}`)
  const runner = spawn(program, [...args, 'run', 'lab.yaml', '--as', who, '-o', reports], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [runner.stdout, runner.stderr]) {
    stream.on('data', chunk => {
      text += String(chunk)
    })
  }
  t.teardown(() => runner.kill('SIGKILL'))
  return {
    process: runner,
    ended: once(runner, 'close').then(([code]) => code as number | null),
    text: () => text,
    events: async () =>
      (await readFile(join(reports, 'latest/journal.ndjson'), 'utf8'))
        .split('\n')
        .filter(line => line.endsWith('}'))
        .map(line => JSON.parse(line) as JournalEvent),
  }
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const startedAt = performance.now()
  for await (const _ of setInterval(lookEveryMs)) {
    if (isSo()) {
      return
    }
    if (performance.now() - startedAt > limitMs) {
      throw new Error(`never: ${what}`)
    }
  }
}

function passes(events: readonly JournalEvent[]): string[] {
  return events.flatMap(event =>
    event.type === 'test-ended' && event.verdict === 'pass' ? [event.test] : [],
  )
}

t.test('the second waits, says for whom, and runs when the first has ended', async t => {
  const folder = await folderFor(t)
  const first = start(folder, 'alice')
  await until('the first runs', () => existsSync(join(folder, 'work/begun')))
  const second = start(folder, 'bob')
  await until('the second waits', () =>
    /waits, at most .*, for this-machine: alice on .*, run .* has it/.test(second.text()),
  )
  await writeFile(join(folder, 'work/go'), '')
  t.equal(await first.ended, 0, first.text())
  t.equal(await second.ended, 0, second.text())
  const [before, after] = [await first.events(), await second.events()]
  const tokenOf = (events: readonly JournalEvent[]): number =>
    events.flatMap(event => (event.type === 'lease-taken' ? [event.token] : []))[0] ?? 0
  t.ok(tokenOf(after) > tokenOf(before), 'the token rises')
  const endOf = (events: readonly JournalEvent[], type: JournalEvent['type']): string =>
    events.findLast(event => event.type === type)?.at ?? ''
  t.ok(endOf(before, 'instance-ended') <= (after.find(({ type }) => type === 'test-started')?.at ?? ''))
})

t.test('the second takes over from a first that was killed, once its lease has expired', async t => {
  const folder = await folderFor(t)
  const first = start(folder, 'alice')
  await until('the first runs', () => existsSync(join(folder, 'work/begun')))
  const second = start(folder, 'bob')
  await until('the second waits', () => second.text().includes('alice on'))
  first.process.kill('SIGKILL')
  await writeFile(join(folder, 'work/go'), '')
  t.equal(await second.ended, 0, second.text())
  t.same(passes(await second.events()), ['guestcert/boot', 'slow/waits', 'slow/ends'])
})

t.test('a first that was stopped for too long is fenced: it passes nothing any more', async t => {
  const folder = await folderFor(t)
  const first = start(folder, 'alice')
  await until('the first runs', () => existsSync(join(folder, 'work/begun')))
  first.process.kill('SIGSTOP')
  const second = start(folder, 'bob')
  await until('the second has taken over', () => second.text().includes('alice on'))
  await writeFile(join(folder, 'work/go'), '')
  t.equal(await second.ended, 0, second.text())
  first.process.kill('SIGCONT')
  t.equal(await first.ended, 3, first.text())
  t.same(passes(await first.events()), ['guestcert/boot'], 'which had ended before')
  t.match(first.text(), /the lease was lost/)
})

async function clean(folder: string, ...flags: string[]): Promise<{ code: number | null; text: string }> {
  const cleaner = spawn(program, [...args, 'lab', 'clean', 'lab.yaml', '--as', 'carol', ...flags], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [cleaner.stdout, cleaner.stderr]) {
    stream.on('data', chunk => {
      text += String(chunk)
    })
  }
  const [code] = (await once(cleaner, 'close')) as [number | null]
  return { code, text }
}

t.test('lab clean leaves a living run alone, and removes what a killed one left', async t => {
  const folder = await folderFor(t)
  const dead = `/var/tmp/gc-20200101-000000-dead${process.pid}-e1-1`
  const foreign = `/var/tmp/gc-not-ours-${process.pid}`
  await mkdir(dead)
  await mkdir(foreign)
  t.teardown(() => Promise.all([dead, foreign].map(path => rm(path, { recursive: true, force: true }))))
  const first = start(folder, 'alice')
  await until('the first runs', () => existsSync(join(folder, 'work/begun')))
  const [begun] = (await first.events()).filter(event => event.type === 'instance-started')
  const own = `/var/tmp/${begun?.instance}`
  t.ok(existsSync(own))

  const living = await clean(folder)
  t.equal(living.code, 0, living.text)
  t.match(
    living.text,
    new RegExp(`left ${begun?.instance} on this-machine: .*it belongs to a run that lives: alice`),
  )
  t.match(living.text, /removed gc-20200101-000000-dead\d+-e1-1 on this-machine/)
  t.ok(existsSync(own), 'what the living run has stays')
  t.notOk(existsSync(dead), 'while the dead one is removed')
  t.ok(existsSync(foreign), 'what bears no name of ours is not touched')

  first.process.kill('SIGKILL')
  await first.ended
  await pause(4_500)
  const dry = await clean(folder, '--dry-run')
  t.match(dry.text, new RegExp(`would remove ${begun?.instance} on this-machine`))
  t.match(dry.text, /would remove lease on this-machine: of alice on .*expired/)
  t.ok(existsSync(own), 'a dry run removes nothing')
  const real = await clean(folder)
  t.equal(real.code, 0, real.text)
  t.match(real.text, /removed lease on this-machine: of alice/)
  t.notOk(existsSync(own))
  t.match((await clean(folder)).text, /^0 removed, 0 left$/m, 'nothing is left')
})
