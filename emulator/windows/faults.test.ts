import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { hostileBytes } from '../faults/active-faults.js'
import type { EmulatedGuestSpec } from '../spec.js'
import { type Session, startWindows } from './client.test.helper.js'

async function start(t: Test, faults: NonNullable<EmulatedGuestSpec['faults']>): Promise<Session> {
  const session = await startWindows('windows-2022', 'rhel-9-kvm', 'bios', faults)
  t.teardown(session.close)
  return session
}

t.test('a command that reboots the guest does not end before that', async t => {
  const { guest, run, text, reconnect } = await start(t, { unaskedReboot: { command: 'fragile' } })
  const { code, stdout } = await run('echo fragile')
  t.strictSame([stdout.toString(), code], ['fragile\r\n', undefined])
  for (const until = performance.now() + 120_000; guest.counters.boots < 2; await wait(20))
    if (performance.now() > until) throw new Error('no reboot in two minutes')
  await reconnect()
  t.equal(await text('echo fragile'), 'fragile\n', 'only once')
})

t.test('output is falsified on its way', async t => {
  const { run, text } = await start(t, {
    garbage: { command: 'garbled' },
    truncated: { command: 'short', bytes: 2 },
    lostStatus: { command: 'untold' },
    wrongStatus: { command: 'wrong', exit: 7 },
    altered: { command: 'this', to: 'that' },
  })
  const garbled = await run('echo garbled')
  t.ok(garbled.stdout.equals(Buffer.concat([hostileBytes, Buffer.from('garbled\r\n'), hostileBytes])))
  t.equal((await run('echo short')).stdout.toString(), 'short')
  t.equal((await run('echo untold')).code, undefined)
  t.equal((await run('echo wrong')).code, 7)
  t.equal(await text('echo this'), 'that\n')
})
