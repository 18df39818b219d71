import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent, TestEnded } from '../src/journal/events.js'
import { guestcertProcess } from './cli-process.js'

const [program, ...args] = guestcertProcess
/** A script that hangs in a panicked guest would be ended by its limit of 20 minutes only. */
const soonMs = 60_000

const lab = `lab: crashing
defaults: { limits: { boot: 10m, handshake: 60s, authentication: 60s, firstCommand: 60s }, retries: 0 }
hosts:
  here: { product: qemu, version: "7.2", driver: qemu, capacity: { guests: 1, vcpus: 1, memory: 512MiB } }
guests:
  debian-12:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, key: image, hostKey: image }
    on:
      here:
        image: debian
        configuration: { firmware: bios, machine: pc, disk: virtio-blk, nic: virtio-net, vcpus: 1, memory: 512MiB }
suites: [${join(packageRoot, 'fixtures/test-suites/crashing')}]
`

t.test(
  'a panic on the console of a real guest ends its test at once, with that line',
  { timeout: 1_700_000 },
  async t => {
    const build = await execa(program, [...args, 'lab', 'build', 'debian'], { reject: false })
    t.equal(build.exitCode, 0, build.stderr)
    const folder = t.testdir({ 'lab.yaml': lab })
    const { exitCode, stdout } = await execa(program, [...args, 'run', 'lab.yaml', '-o', 'reports'], {
      cwd: folder,
      reject: false,
    })
    t.equal(exitCode, 1, stdout)
    const run = join(folder, 'reports/latest')
    const lines = (await readFile(join(run, 'journal.ndjson'), 'utf8')).trimEnd().split('\n')
    const ended = new Map(
      lines
        .map(line => JSON.parse(line) as JournalEvent)
        .flatMap(event => (event.type === 'test-ended' && event.final ? [event] : []))
        .map((event): [string, TestEnded] => [event.test, event]),
    )
    const panicked = ended.get('crashing/panics')
    t.match(panicked, {
      verdict: 'fail',
      cause: 'guest',
      reason: /kernel panic on the console: .*Kernel panic - not syncing: sysrq triggered crash/,
    })
    t.comment(`the panic ended its test after ${panicked?.durationMs} ms`)
    t.ok((panicked?.durationMs ?? soonMs) < soonMs)
    t.match(
      ended.get('crashing/oopses'),
      { verdict: 'fail', cause: 'guest', reason: /kernel oops on the console: .*Oops: 0000 \[#1\]/ },
      'no pass stands when the guest broke meanwhile',
    )
    t.match(ended.get('crashing/announced'), { verdict: 'pass' }, 'a crash that was announced is tolerated')
    const files = await readdir(join(run, 'evidence'), { recursive: true })
    const consoles = await Promise.all(
      files
        .filter(name => name.endsWith('console.log'))
        .map(name => readFile(join(run, 'evidence', name), 'utf8')),
    )
    t.equal(consoles.filter(text => text.includes('Kernel panic')).length, 2, 'the consoles are evidence')
  },
)
