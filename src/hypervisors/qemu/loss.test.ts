import t from 'tap'
import { lossOfEvent, lossOfStatus } from './loss.js'

const event = (
  name: string,
  data: Record<string, unknown> = {},
): { name: string; data: Record<string, unknown> } => ({
  name,
  data,
})

t.test('which events are a loss, and whose fault', async t => {
  t.match(lossOfEvent(event('SHUTDOWN', { guest: true, reason: 'guest-shutdown' })), { cause: 'guest' })
  t.match(lossOfEvent(event('SHUTDOWN', { guest: false, reason: 'host-signal' })), { cause: 'host' })
  t.match(lossOfEvent(event('SHUTDOWN')), { cause: 'host' }, 'what the guest did not do is not blamed on it')
  t.match(lossOfEvent(event('BLOCK_IO_ERROR', { action: 'stop', operation: 'write', reason: 'full' })), {
    cause: 'host',
  })
  t.equal(lossOfEvent(event('BLOCK_IO_ERROR', { action: 'report' })), null)
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
    t.equal(lossOfEvent(event(name, { guest: true })), null, name)
  }
})

t.test('which states are a loss', async t => {
  t.match(lossOfStatus({ status: 'internal-error', running: false }), {
    cause: 'host',
    acceleratorFailed: true,
  })
  t.match(lossOfStatus({ status: 'io-error' }), { cause: 'host', acceleratorFailed: false })
  t.match(lossOfStatus({ status: 'guest-panicked' }), { cause: 'guest' })
  t.match(lossOfStatus({ status: 'shutdown' }), { cause: 'guest' })
  for (const status of ['running', 'paused', 'save-vm', 'restore-vm', 'prelaunch']) {
    t.equal(lossOfStatus({ status }), null, status)
  }
  t.equal(lossOfStatus(null), null)
})
