import t from 'tap'
import { reduce } from '../managed-vm/observation.js'
import { accountOfEvent, powerOfStatus } from './power.js'

const event = (
  name: string,
  data: Record<string, unknown> = {},
): { name: string; data: Record<string, unknown> } => ({
  name,
  data,
})

t.test('which events are a loss, and whose fault', async t => {
  t.match(accountOfEvent(event('SHUTDOWN', { guest: true, reason: 'guest-shutdown' })), { cause: 'guest' })
  t.match(accountOfEvent(event('SHUTDOWN', { guest: false, reason: 'host-signal' })), { cause: 'host' })
  t.match(
    accountOfEvent(event('SHUTDOWN')),
    { cause: 'host' },
    'what the guest did not do is not blamed on it',
  )
  t.match(accountOfEvent(event('BLOCK_IO_ERROR', { action: 'stop', operation: 'write', reason: 'full' })), {
    cause: 'host',
  })
  t.equal(accountOfEvent(event('BLOCK_IO_ERROR', { action: 'report' })), null)
  // A panicked guest may still reboot or dump: its console tells of the panic.
  for (const name of [
    'GUEST_PANICKED',
    'RESET',
    'STOP',
    'RESUME',
    'POWERDOWN',
    'NIC_RX_FILTER_CHANGED',
    'JOB_STATUS_CHANGE',
  ]) {
    t.equal(accountOfEvent(event(name, { guest: true })), null, name)
  }
})

t.test('which states are a loss', async t => {
  const known = { wanted: 'on', host: 'here', incarnation: null, strangeSinceMs: null } as const
  const lossOf = (status: unknown, wanted: 'on' | 'paused' = 'on') => {
    const seen = { ...powerOfStatus(status), incarnation: null }
    return reduce({ ...known, wanted }, seen, { nowMs: 0, graceMs: 0 }).event
  }
  t.match(lossOf({ status: 'internal-error', running: false }), { cause: 'host', why: /accelerator failed/ })
  t.match(lossOf({ status: 'io-error' }), { cause: 'host' })
  t.match(lossOf({ status: 'guest-panicked' }), { cause: 'guest' })
  t.match(lossOf({ status: 'shutdown' }), { cause: 'guest' })
  t.match(lossOf({ status: 'paused' }), { cause: 'host' }, 'nobody of ours paused it')
  t.equal(lossOf({ status: 'paused' }, 'paused'), null)
  for (const status of ['running', 'save-vm', 'restore-vm', 'prelaunch']) {
    t.equal(lossOf({ status }), null, status)
  }
  t.equal(lossOf(null), null)
})
