import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import t from 'tap'
import type { CommandResult, Machine } from '../remote/machine.js'
import {
  type BootIdentity,
  bootIdentityCommand,
  isSameBoot,
  parseBootIdentity,
  provesReboot,
  readBootIdentity,
} from './boot-identity.js'

const one = '3f0c1a52-6d1b-4c7e-9a38-0b5d4a4c9e11'
const two = '9b7d2e10-11aa-4f3c-8b21-7c6e5d4f3a2b'

function identity(change: Partial<BootIdentity> = {}): BootIdentity {
  return { bootId: one, btimeSec: 1_000_000, uptimeSec: 5000, takenAtMs: 0, ...change }
}

t.test('reading is strict', async t => {
  t.same(parseBootIdentity(`boot_id=${one}\nbtime=1700000000\nuptime=12.34\n`, 7), {
    bootId: one,
    btimeSec: 1_700_000_000,
    uptimeSec: 12.34,
    takenAtMs: 7,
  })
  t.match(parseBootIdentity('btime=1700000000\nuptime=12.34\n', 7), { bootId: null })
  for (const wrong of [
    '',
    `boot_id=${one}\nbtime=1700000000\nuptime=12.34`,
    `boot_id=${one}\nbtime=\nuptime=12.34\n`,
    `boot_id=${one}\nuptime=12.34\n`,
    `boot_id=${one.toUpperCase()}\nbtime=1\nuptime=1.0\n`,
    `boot_id=\nbtime=1\nuptime=1.0\n`,
    `boot_id=${one}\nbtime=-1\nuptime=1.0\n`,
    `boot_id=${one}\nbtime=1\nuptime=1e9\n`,
    `boot_id=${one}\nbtime=1\nuptime=1.0\nuptime=2.0\n`,
    `noise\nboot_id=${one}\nbtime=1\nuptime=1.0\n`,
    `boot_id=${one}\nbtime=1\nuptime=1.0\n${'x'.repeat(1000)}`,
  ]) {
    t.equal(parseBootIdentity(wrong, 0), null, JSON.stringify(wrong.slice(0, 60)))
  }
  fc.assert(fc.property(fc.string(), text => parseBootIdentity(text, 0) === null))
})

t.test('a shell on Linux answers so', { skip: process.platform !== 'linux' }, async t => {
  const { stdout } = spawnSync('/bin/sh', ['-c', bootIdentityCommand], { encoding: 'utf8' })
  const read = parseBootIdentity(stdout, 0)
  t.ok(read, stdout)
  t.ok(read !== null && read.uptimeSec > 0 && read.btimeSec > 0)
})

t.test('the same boot: by boot_id where both have one, else by btime', async t => {
  t.ok(isSameBoot(identity(), identity({ btimeSec: 2_000_000 })), 'a clock that was set is not a boot')
  t.notOk(isSameBoot(identity(), identity({ bootId: two })))
  t.ok(isSameBoot(identity({ bootId: null }), identity({ btimeSec: 1_000_002 })))
  t.notOk(isSameBoot(identity({ bootId: null }), identity({ btimeSec: 1_000_100 })))
})

t.test('a reboot needs a new identity and an uptime smaller than the time since the command', async t => {
  const table: readonly [string, Partial<BootIdentity>, number, boolean][] = [
    ['both', { bootId: two, uptimeSec: 20 }, 30_000, true],
    ['a new identity, but up for longer', { bootId: two, uptimeSec: 31 }, 30_000, false],
    ['just as long', { bootId: two, uptimeSec: 30 }, 30_000, false],
    ['a small uptime, but the same boot', { uptimeSec: 1 }, 30_000, false],
    ['nothing', {}, 30_000, false],
    ['no boot_id, btime far on', { bootId: null, btimeSec: 1_006_000, uptimeSec: 20 }, 30_000, true],
    ['no boot_id, btime a little on', { bootId: null, btimeSec: 1_000_003, uptimeSec: 20 }, 30_000, false],
  ]
  for (const [what, after, since, proven] of table) {
    const proof = provesReboot(identity(), identity(after), since)
    t.equal(proof.proven, proven, `${what}: ${proof.why}`)
    t.match(proof.why, /up for [\d.]+ s, 30\.0 s after the command/)
  }
})

t.test('what a guest says is taken only if its status was seen', async t => {
  const text = `boot_id=${one}\nbtime=1700000000\nuptime=12.34\n`
  const machine = (exit: CommandResult['exit'], said = text, isLost = false): Machine => ({
    label: 'guest-1',
    hostKey: '',
    lost: isLost ? AbortSignal.abort() : new AbortController().signal,
    channels: 8,
    run: async () => {
      const output = { text: said, bytes: Buffer.from(said), totalBytes: said.length, truncated: false }
      return { exit, stdout: output, stderr: output, durationMs: 1, undrained: false }
    },
    forward: () => Promise.reject(new Error('not asked for')),
    close: async () => {},
  })
  t.match(await readBootIdentity(machine({ kind: 'code', code: 0 })), { bootId: one })
  for (const exit of [
    { kind: 'lost' },
    { kind: 'code', code: 1 },
    { kind: 'signal', signal: 'SIGKILL' },
  ] as const) {
    await t.rejects(readBootIdentity(machine(exit)), {
      name: 'InfraError',
      message: /the boot identity could not be read/,
      context: { code: 'command', cause: 'guest' },
    })
  }
  await t.rejects(readBootIdentity(machine({ kind: 'code', code: 0 }, 'nonsense')), { name: 'InfraError' })
  await t.rejects(readBootIdentity(machine({ kind: 'lost' }, '', true)), {
    name: 'InfraError',
    context: { code: 'lost', cause: 'network' },
  })
})
