/** The lease script in the shells of emulated guests. */
import t from 'tap'
import { connect, startGuest } from '../../../emulator/client.test.helper.js'
import { type LeaseAnswer, parseLease } from './answer.js'
import { leaseCommand } from './script.js'

for (const persona of ['debian-12', 'rhel-5.11', 'sles-11-sp4']) {
  t.test(persona, async t => {
    const guest = await startGuest(persona)
    const client = await connect(guest)
    t.teardown(async () => {
      client.end()
      await guest.close()
    })
    type What = 'look' | 'take' | 'renew' | 'release'
    const ask = async (what: What, id: string, mine = '0', ttlSec = 60): Promise<LeaseAnswer | null> => {
      const folder = '/var/tmp/guestcert-guest.lease'
      const about = [`who ${id}`, 'from here', `run ${id}`]
      const command = leaseCommand({ what, folder, id, ttlSec, everySec: 20, mine, about })
      return parseLease((await client.run(command)).stdout)
    }
    t.match(await ask('look', 'a'), { word: 'free', generation: 0 })
    t.match(await ask('take', 'a'), { word: 'taken', generation: 1, ttlMs: 60_000, everyMs: 20_000 })
    t.match(await ask('take', 'b'), { word: 'held', owner: { who: 'a' } })
    t.match(await ask('renew', 'a', '1'), { word: 'kept', mark: '1.1' })
    t.match(await ask('renew', 'b', '1'), { word: 'lost' })
    t.match(await ask('renew', 'a', '1', 0), { word: 'kept', mark: '1.2' })
    t.match(await ask('take', 'b', '1.1'), { word: 'stale', mark: '1.2' })
    t.match(await ask('take', 'b', '1.2'), { word: 'taken', generation: 2 })
    t.match(await ask('renew', 'a', '1'), { word: 'lost', owner: { who: 'b' } })
    t.match(await ask('release', 'b', '2'), { word: 'free' })
    t.match(await ask('take', 'a'), { word: 'taken', generation: 3 })
  })
}
