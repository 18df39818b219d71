import t from 'tap'
import { type Glance, type Known, reduce } from './observation.js'

const known: Known = { wanted: 'on', host: 'a', incarnation: '1', strangeSinceMs: null }
const seen = (more: Partial<Glance> = {}): Glance => ({
  power: 'on',
  said: 'running',
  incarnation: '1',
  ...more,
})
const now = { nowMs: 1000, graceMs: 0 }

t.test('what is as it is meant to be is not an event', async t => {
  t.strictSame(reduce(known, seen(), now), { known, event: null })
  t.equal(reduce(known, seen({ power: 'busy' }), now).event, null)
  t.equal(reduce({ ...known, wanted: 'paused' }, seen({ power: 'paused' }), now).event, null)
  for (const power of ['off', 'absent', 'ending', 'crashed'] as const) {
    t.equal(reduce({ ...known, wanted: 'off' }, seen({ power }), now).event, null, power)
  }
})

t.test('what nobody asked for is one, with whose fault it is', async t => {
  t.match(reduce(known, seen({ power: 'crashed' }), now).event, { type: 'crashed', cause: 'guest' })
  t.match(reduce(known, seen({ power: 'absent' }), now).event, { type: 'lost', cause: 'host' })
  t.match(reduce(known, seen({ power: 'off' }), now).event, { type: 'lost', cause: 'unknown' })
  t.match(reduce(known, seen({ power: 'paused' }), now).event, { type: 'lost', cause: 'host' })
  const account = { cause: 'guest', why: 'it shut itself down' } as const
  t.match(reduce(known, { ...seen({ power: 'off' }), account }, now).event, account, 'the host knows better')
  t.match(reduce(known, { ...seen(), question: 'Retry?' }, now).event, { type: 'lost', why: /Retry\?/ })
})

t.test('a machine that moves or restarts by itself is followed', async t => {
  const moved = reduce(known, seen({ host: 'b' }), now)
  t.strictSame(moved.event, { type: 'moved', from: 'a', to: 'b' })
  t.equal(moved.known.host, 'b')
  const restarted = reduce(known, seen({ incarnation: '2' }), now)
  t.match(restarted.event, { type: 'restarted', cause: 'unknown' })
  const byHost = reduce(known, seen({ incarnation: '2' }), { ...now, restarts: 'host' })
  t.match(
    byHost.event,
    { type: 'restarted', cause: 'host' },
    'where a reboot of the guest leaves it as it is',
  )
  t.equal(reduce(restarted.known, seen({ incarnation: '2' }), now).event, null, 'once')
  t.equal(
    reduce({ ...known, incarnation: null }, seen({ incarnation: '2' }), now).event,
    null,
    'the first is none',
  )
  t.equal(reduce(known, seen({ incarnation: null }), now).event, null, 'where the host does not tell')
})

t.test('where guests are away while they reboot, only a long absence is a loss', async t => {
  const graceMs = 500
  const first = reduce(known, seen({ power: 'absent' }), { nowMs: 1000, graceMs })
  t.equal(first.event, null)
  t.equal(reduce(first.known, seen({ power: 'ending' }), { nowMs: 1500, graceMs }).event, null)
  t.match(reduce(first.known, seen({ power: 'absent' }), { nowMs: 1501, graceMs }).event, { type: 'lost' })
  const back = reduce(first.known, seen({ incarnation: '2' }), { nowMs: 1400, graceMs })
  t.equal(reduce(back.known, seen({ power: 'absent' }), { nowMs: 1600, graceMs }).event, null, 'counted anew')
})
