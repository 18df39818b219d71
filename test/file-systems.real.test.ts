/** Reports on real file systems: one that is full, and one without links. Needs root, and Debian's fusefat and dosfstools. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { guestcertProcess } from './cli-process.js'

t.setTimeout(300_000)

const [program, ...args] = guestcertProcess
const guestcert = [program, ...args]

interface Ended {
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Runs a shell script in a mount namespace of its own: what it mounts is gone with it. */
async function mounted(folder: string, script: string, words: readonly string[] = []): Promise<Ended> {
  const { exitCode, stdout, stderr } = await execa(
    'unshare',
    ['--mount', '--', '/bin/sh', '-c', script, 'sh', ...words],
    { cwd: folder, reject: false, stdin: 'ignore' },
  )
  return { code: exitCode, stdout, stderr }
}

/** A lab with one test, which prints so many KiB and succeeds. */
function labIn(t: Test, kib: number): string {
  return t.testdir({
    'lab.yaml': `lab: reports
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  steady: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } }
suites: [./prints]
`,
    prints: {
      'suite.yaml': `suite: prints
version: 1.0.0
title: Prints
tests:
  - { id: much, title: Prints much, requirements: [P-1], level: required, script: much.sh, protocol: exit }
`,
      'much.sh': `#!/bin/sh\nhead -c ${kib * 1024} /dev/zero | tr '\\000' x\n`,
    },
    reports: {},
  })
}

t.test('evidence on a full tmpfs: a part is written, and its failure is seen', async t => {
  const folder = t.testdir({ full: {} })
  const writer = fileURLToPath(new URL('../src/engine/evidence-writer.test.fixture.js', import.meta.url))
  for (const [bytes, kib] of [
    [20_000, 16],
    [100_000, 80],
  ] as const) {
    const script = `mount -t tmpfs -o size=${kib}k none full && "$@" && stat -c %s full/out`
    const { code, stdout, stderr } = await mounted(folder, script, [
      process.execPath,
      writer,
      join(folder, 'full/out'),
      String(bytes),
    ])
    t.equal(code, 0, stderr)
    const [said, size] = stdout.split('\n')
    t.match(said, /^rejected: the evidence .* cannot be written: ENOSPC/)
    t.equal(size, String(kib * 1024), 'all that there was room for')
  }
})

t.test('a run whose folder is full ends with 4, and what was cut is not a pass', async t => {
  const folder = labIn(t, 2048)
  const { code, stdout, stderr } = await mounted(
    folder,
    'mount -t tmpfs -o size=1m none reports && exec "$@"',
    [...guestcert, 'run', 'lab.yaml', '-o', 'reports'],
  )
  t.equal(code, 4, stdout + stderr)
  t.match(stderr, /ENOSPC/)
  t.notMatch(stdout, /pass.*prints\/much/)
})

const hasFat = existsSync('/usr/bin/fusefat') && existsSync('/usr/sbin/mkfs.vfat')

t.test(
  'on a vfat, which has no links, latest is a text file that is read, and its evidence verifies',
  hasFat ? {} : { skip: 'install the Debian packages fusefat and dosfstools' },
  async t => {
    const folder = labIn(t, 100)
    const script = `truncate -s 32M disk && mkfs.vfat disk >&2 || exit 90
fusefat -o rw+ disk reports >&2 || exit 91
"$@" run lab.yaml -o reports --quiet && echo "run $?"
"$@" run lab.yaml -o reports --quiet && echo "again $?"
[ -L reports/latest ] || [ ! -f reports/latest ] || echo "text $(ls reports | grep -c -x "$(cat reports/latest)")"
"$@" report latest --reports reports
wc -c <"$(find "reports/$(cat reports/latest)/evidence" -name '*much*stdout*')"
umount reports`
    const { stdout, stderr } = await mounted(folder, script, guestcert)
    t.match(stdout, /^run 0$/m, stderr)
    t.match(stdout, /^again 0$/m, stderr)
    t.match(stdout, /^text 1$/m, 'it names a run that is there')
    t.match(stdout, /2 passed/, 'and is read')
    t.match(stdout, /^102400$/m, 'the evidence is whole')
    t.match(stderr, /latest is a text file, because no symbolic link can be made there \(ENOSYS\)/)
  },
)
