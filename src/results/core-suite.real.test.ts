import { existsSync, readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../config/package-root.js'
import { runShell } from './shell-library.test.cases.js'

/** The scripts of the core suite on this very machine, in each shell that guests have as /bin/sh. */
const shells: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['dash', ['/usr/bin/dash']],
  ['bash', ['/usr/bin/bash', '--posix']],
  ['busybox', ['/usr/bin/busybox', 'sh']],
  ['mksh', ['/usr/bin/mksh']],
  ['ksh93u+m', ['/usr/bin/ksh93']],
]

const release = readFileSync('/etc/os-release', 'utf8')
const truth = {
  GC_TMP: t.testdir({}),
  GC_GUEST_PRODUCT: /^ID="?([^"\n]*)/m.exec(release)?.[1] ?? '',
  GC_GUEST_VERSION: /^VERSION_ID="?([^"\n]*)/m.exec(release)?.[1] ?? '',
  GC_GUEST_ARCH: process.arch === 'x64' ? 'x86_64' : process.arch === 'arm64' ? 'aarch64' : process.arch,
  GC_VCPUS: String(cpus().length),
  GC_MEMORY_BYTES: String(totalmem()),
  GC_HYPERVISOR_PRODUCT: 'none',
  GC_HYPERVISOR_VERSION: '0',
  GC_MODE: '',
}

/** A hypervisor that this machine does not run on. */
const elsewhere = existsSync('/sys/hypervisor/type') ? 'esxi' : 'xen'

/** What is true here, and what is not: a script that cannot fail proves nothing. */
const rows: readonly (readonly [script: string, env: object, verdict: string, what: string])[] = [
  ['identity', {}, 'pass', 'this release'],
  ['identity', { GC_GUEST_VERSION: '5.11' }, 'fail', 'another release'],
  ['identity', { GC_GUEST_PRODUCT: 'sles' }, 'fail', 'another product'],
  ['identity', { GC_GUEST_ARCH: 's390x' }, 'fail', 'another architecture'],
  ['vcpus', {}, 'pass', 'these CPUs'],
  ['vcpus', { GC_VCPUS: String(cpus().length + 1) }, 'fail', 'a CPU more'],
  ['vcpus', { GC_VCPUS: '' }, 'skip', 'no number of CPUs'],
  ['memory', {}, 'pass', 'this memory'],
  ['memory', { GC_MEMORY_BYTES: String(totalmem() * 2) }, 'fail', 'twice the memory'],
  ['memory', { GC_MEMORY_BYTES: String(Math.round(totalmem() / 2)) }, 'fail', 'half the memory'],
  ['memory', { GC_MEMORY_BYTES: '' }, 'skip', 'no amount of memory'],
  ['hypervisor', {}, 'skip', 'no hypervisor'],
  ['hypervisor', { GC_HYPERVISOR_PRODUCT: elsewhere }, 'fail', 'a hypervisor that is not here'],
  ['clock-monotonic', {}, 'pass', 'these clocks'],
  ['entropy', {}, 'pass', 'these random numbers'],
  ['disk-verify', {}, 'pass', 'this disk'],
  ['disk-verify', { GC_TMP: '/nonexistent' }, 'error', 'no disk'],
]

for (const [name, command] of shells) {
  t.test(name, async t => {
    const missing = !existsSync(command[0] ?? '')
    t.notOk(missing, `Debian's package ${name} is installed`)
    for (const [script, env, verdict, what] of missing ? [] : rows) {
      const file = join(packageRoot, 'suites/core', `${script}.sh`)
      const folded = await runShell([...command, file], { ...truth, ...env })
      t.equal(
        folded.verdict,
        verdict,
        `${script}, ${what}: ${verdict}${folded.reason && ` (${folded.reason})`}`,
      )
    }
  })
}
