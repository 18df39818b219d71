/** Real guests that have less than others, in namespaces of their own. Needs openssh-server, dropbear-bin, busybox-static and root. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import type { JournalEvent } from '../src/journal/events.js'
import { type Door, type DoorOptions, openDoor } from '../src/remote/doors.test.fixture.js'
import { guestcertProcess } from './cli-process.js'

const [program, ...args] = guestcertProcess

/** A guest, and the folder that its files must come to; or why it must be refused, in `run` and `doctor` alike. */
interface Poor extends DoorOptions {
  readonly folder?: string
  readonly refused?: RegExp
}

const readOnly = (...folders: readonly string[]): string =>
  folders.map(folder => `mount --bind ${folder} ${folder} && mount -o remount,ro,bind ${folder}`).join('\n')

const guests: Readonly<Record<string, Poor>> = {
  'no-tools': { setUp: 'rm /usr/bin/tar /usr/bin/base64 /usr/bin/head' },
  'another-path': {
    setUp: `usermod -s /bin/sh root
mkdir -p /run/current-system/sw/bin
mount --bind /usr/bin /run/current-system/sw/bin
mount -t tmpfs -o size=4m doors /usr/bin
/run/current-system/sw/bin/cp /run/current-system/sw/bin/dash /usr/bin/sh`,
  },
  'busybox-alone': {
    server: 'dropbear',
    setUp: `echo 'ID=debian
VERSION_ID="12"' >etc/os-release; mount -t tmpfs -o size=600m doors var/tmp`,
  },
  'no-home': {
    sshd: ['AuthorizedKeysFile /etc/keys'],
    setUp: 'cp "$1" /etc/keys; sed -i s,:/root:,:/nowhere:, /etc/passwd',
  },
  'read-only': { setUp: readOnly('/var/tmp'), folder: '/tmp' },
  tiny: { setUp: 'mount -t tmpfs -o size=64k doors /var/tmp', folder: '/tmp' },
  'not-executable': { setUp: 'mount -t tmpfs -o size=64m,noexec doors /var/tmp' },
  'nowhere-to-write': {
    sshd: ['AuthorizedKeysFile /etc/keys'],
    setUp: `cp "$1" /etc/keys
mkdir -p /run/lock; ${readOnly('/var/tmp', '/root', '/dev/shm', '/tmp', '/run')}`,
    refused: /no folder can be written to|guest\.lease cannot be made/,
  },
}

/** Every byte there is, so that none is changed on its way. */
const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, index) => index % 256))
const suite = {
  'suite.yaml': `suite: carried
version: 1.0.0
title: What is carried to the guest
tests:
  - { id: whole, title: Whole, requirements: [X-1], level: required, script: whole.sh, protocol: exit, limit: 60s }
  - { id: module, title: Module, requirements: [X-1], level: required, module: module.ts, limit: 60s }
`,
  'whole.sh': `#!/bin/sh
[ -f "$GUESTCERT_SUITE/data.bin" ] && [ "$(wc -c <data.bin)" -eq ${bytes.length} ] || exit 1
[ "$(od -An -v -tu1 data.bin | tr -s ' \\n' '\\n\\n' | sed -n '/./p' | sed -n '256p;257p;258p;5000p' | tr '\\n' ' ')" = "255 0 1 135 " ] || exit 1
echo x >"$GC_TMP/x"
`,
  'data.bin': bytes,
  'module.ts': `import { test } from 'guestcert/api'
export default test(async ({ guest, expect }) => {
  const folder = await guest.scratch()
  await guest.writeFile(folder + '/a', 'written')
  expect(await guest.readFile(folder + '/a')).toBe('written', 'what is written can be read')
  const { end } = await guest.run('sleep 4711', { limit: '300ms' })
  expect(end.kind).toBe('limit', 'a command is stopped')
})
`,
}

function lab(id: string, { port, keyPath, hostKey }: Door): string {
  return `lab: poor-${id}-${process.pid}
defaults: { limits: { boot: 20s } }
hosts: { ${id}: { product: none, version: "1", driver: static } }
guests:
  ${id}:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, key: "file:${keyPath}", hostKey: "${hostKey}" }
    on: { ${id}: { address: "127.0.0.1:${port}", configuration: { vcpus: 2, memory: 1GiB } } }
suites: [./carried]
`
}

t.setTimeout(300_000)
for (const [id, guest] of Object.entries(guests)) {
  t.test(`${id}: ${guest.refused === undefined ? 'its tests run' : 'it is refused by name'}`, async t => {
    const door = await openDoor(guest)
    t.teardown(() => door.close())
    const folder = t.testdir({ 'lab.yaml': lab(id, door), carried: suite })
    const cli = (...words: readonly string[]) =>
      execa(program, [...args, ...words], { reject: false, cwd: folder })
    const run = await cli('run', 'lab.yaml', '-o', 'reports', '--retries', '0')
    t.not(run.exitCode, 2, run.stderr)
    const text = await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8')
    const events = text.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as JournalEvent]))
    const ended = events.flatMap(event => (event.type === 'test-ended' ? [event] : []))
    const doctor = await cli('doctor', 'lab.yaml', '--no-color')
    const space = doctor.stdout.split('\n').find(line => line.includes('free space')) ?? doctor.stdout
    if (guest.refused === undefined) {
      t.same(
        ended.map(({ verdict }) => verdict),
        ['pass', 'pass', 'pass'],
        `${run.stdout}\n${door.log()}`,
      )
      t.match(space, new RegExp(` in ${guest.folder ?? '/var/tmp'}\\b`))
      t.match(space, /ok|✓/)
    } else {
      t.match(ended[0], { test: 'guestcert/boot', verdict: 'error', cause: 'guest', reason: guest.refused })
      t.match(doctor.stdout, guest.refused)
      t.not(doctor.exitCode, 0)
    }
  })
}
