import t from 'tap'
import { lossOf } from './loss.js'
import { parseState } from './output.js'

const kvm = { xen: false, tellsPanics: false, paused: false }

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
    const loss = lossOf(parseState(said), { ...kvm, ...context })
    t.equal(loss?.cause ?? null, cause, `${said} ${JSON.stringify(context)}`)
    t.ok(loss === null || loss.why.includes(said), 'what libvirt says is told')
  }
  t.match(lossOf(null, kvm), { cause: 'host', why: /no longer there/ })
})
