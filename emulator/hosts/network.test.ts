import t from 'tap'
import { Leases } from './network.js'

const persona = {
  network: { from: 'assumed', kind: 'network', name: 'default', prefix: '192.168.122' },
} as const

t.test('no two cards have the same address, and a card keeps its own', async t => {
  const leases = new Leases()
  const cards = Array.from(
    { length: 150 },
    (_, index) => `52:54:00:00:00:${index.toString(16).padStart(2, '0')}`,
  )
  const given = cards.map(card => leases.addressOf(persona, card))
  t.equal(new Set(given).size, cards.length)
  t.strictSame(
    cards.map(card => leases.addressOf(persona, card)),
    given,
  )
  const [first = ''] = cards
  leases.addressOf(persona, first)
  const late = leases.addressOf(persona, '52:54:00:00:01:00')
  t.equal(late, given[1], 'when all are taken, who was not asked for the longest loses its own')
})
