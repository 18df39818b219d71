import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import type { JournalEvent, TestEnded } from '../src/journal/events.js'
import { guestcertProcess } from './cli-process.js'

const [program, ...args] = guestcertProcess

const lab = `lab: broken-debian
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
suites: [./broken]
`

const test = (id: string, what: string): string =>
  `  - { id: ${id}, title: ${id}, requirements: [X-1], level: required, ${what}, limit: 5m }\n`

/** Long enough for a guest in software emulation to have reset itself; it asks the guest nothing meanwhile. */
const waitMs = 30_000

const suite = {
  'suite.yaml': `suite: broken
version: 1.0.0
title: What a test does to a real guest, and what becomes of it
tests:
${test('resets', 'module: resets.ts')}${test('breaks', 'script: breaks.sh, protocol: exit')}${test('later', 'script: later.sh, protocol: exit')}`,
  'resets.ts': `import { setTimeout as wait } from 'node:timers/promises'
import { test } from 'guestcert/api'
export default test(async ({ guest, expect }) => {
  const command = '(sleep 1; echo b >/proc/sysrq-trigger) </dev/null >/dev/null 2>&1 &'
  expect((await guest.run(command)).succeeded).toBe(true, 'the guest is about to reset itself')
  await wait(${waitMs})
})
`,
  'breaks.sh': '#!/bin/sh\necho "exit 0" >/root/.bashrc\n',
  'later.sh': '#!/bin/sh\nexit 1\n',
}

t.test(
  'what a test does to a real guest is its own verdict, and nothing passes behind a broken login',
  { timeout: 1_700_000 },
  async t => {
    const build = await execa(program, [...args, 'lab', 'build', 'debian'], { reject: false })
    t.equal(build.exitCode, 0, build.stderr)
    const folder = t.testdir({ 'lab.yaml': lab, broken: suite })
    const { exitCode, stdout } = await execa(program, [...args, 'run', 'lab.yaml', '-o', 'reports'], {
      cwd: folder,
      reject: false,
    })
    t.equal(exitCode, 1, stdout)
    const lines = (await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8'))
      .trimEnd()
      .split('\n')
    const ended = new Map(
      lines
        .map(line => JSON.parse(line) as JournalEvent)
        .flatMap(event => (event.type === 'test-ended' ? [event] : []))
        .map((event): [string, TestEnded] => [event.test, event]),
    )
    t.match(
      ended.get('broken/resets'),
      { verdict: 'fail', cause: 'guest', reason: /reboot/, checks: { ok: 1, notOk: 0 } },
      'a reset while a module waits is that of the module, though its every check held',
    )
    const [resets, breaks, later] = ['resets', 'breaks', 'later'].map(id => ended.get(`broken/${id}`))
    t.match(breaks, { verdict: 'pass' }, 'the next test is not blamed')
    t.not(breaks?.instance, resets?.instance, 'it has another instance')
    t.equal(later?.instance, breaks?.instance, 'the last test came to the guest whose login is broken')
    t.match(later, { verdict: 'error', reason: /was not carried out/ })
  },
)
