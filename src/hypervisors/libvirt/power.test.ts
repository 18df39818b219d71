import t from 'tap'
import { reduce } from '../managed-vm/observation.js'
import { parseState } from './output.js'
import { powerOf } from './power.js'

const kvm = { xen: false, tellsPanics: false, paused: false }
const known = { host: 'kvm', incarnation: null, strangeSinceMs: null }

const at = { nowMs: 0, graceMs: 0 }

t.test('whose fault it is that a domain is gone', async t => {
  const table: [said: string, context: Partial<typeof kvm>, cause: string | null][] = [
    ['running (booted)', {}, null],
    ['idle', {}, null],
    ['pmsuspended (disk)', {}, null],
    ['in shutdown (user)', {}, null],
    ['shut off (shutdown)', {}, 'guest'],
    ['shut off (destroyed)', {}, 'host'],
    ['shut off (failed)', {}, 'host'],
    ['shut off (crashed)', {}, 'host'],
    ['shut off (crashed)', { tellsPanics: true }, 'unknown'],
    ['shut off (crashed)', { xen: true }, 'guest'],
    ['shut off', {}, 'unknown'],
    ['crashed (panicked)', {}, 'guest'],
    ['paused (user)', { paused: true }, null],
    ['paused (user)', {}, 'host'],
    ['paused (I/O error)', {}, 'host'],
    ['paused (watchdog)', {}, 'guest'],
    ['paused (creating snapshot)', {}, null],
    ['paused', {}, 'unknown'],
  ]
  for (const [said, context, cause] of table) {
    const { paused, ...rest } = { ...kvm, ...context }
    const seen = powerOf(parseState(said), rest)
    const { event } = reduce(
      { ...known, wanted: paused ? 'paused' : 'on' },
      { ...seen, incarnation: null },
      at,
    )
    const loss = event !== null && 'cause' in event ? event : null
    t.equal(loss?.cause ?? null, cause, `${said} ${JSON.stringify(context)}`)
    t.ok(loss === null || loss.why.includes(said), 'what libvirt says is told')
  }
  t.match(powerOf(null, kvm).account, { cause: 'host', why: /no longer there/ })
})
