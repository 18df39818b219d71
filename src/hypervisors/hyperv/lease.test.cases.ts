import type { Test } from 'tap'
import { parseLease } from '../../remote/lease/answer.js'
import type { LeaseQuestion } from '../../remote/lease/script.js'
import type { Driver } from '../driver.js'

const never = new AbortController().signal

/** What the lease of a Windows host must do, whatever carries it out. */
export async function hostLeaseCases(t: Test, driver: Driver): Promise<void> {
  const shell = await driver.shell?.(never)
  const ask = async (what: LeaseQuestion['what'], id: string, mine = '0', ttlSec = 60) => {
    const about = [`who ${id}`, 'from here', `run ${id}`]
    const folder = '/var/tmp/guestcert-host.lease'
    const question = { what, folder, id, ttlSec, everySec: 20, mine, about }
    return parseLease((await shell?.lease?.(question, { signal: never, limitMs: 60_000 })) ?? '')
  }
  t.match(await ask('look', 'a'), { word: 'free', generation: 0, owner: null })
  t.match(await ask('take', 'a'), {
    word: 'taken',
    generation: 1,
    owner: { who: 'a', run: 'a' },
    ttlMs: 60_000,
  })
  t.match(await ask('take', 'b'), { word: 'held', generation: 1, owner: { who: 'a' }, everyMs: 20_000 })
  t.match(await ask('renew', 'b', '1'), { word: 'lost' }, 'another cannot renew it')
  t.match(await ask('release', 'b', '1'), { word: 'lost' }, 'nor give it back')
  t.match(await ask('renew', 'a', '1'), { word: 'kept', mark: '1.1' })
  t.match(await ask('take', 'a'), { word: 'taken', mark: '1.2' }, 'whoever has it takes it again')
  t.match(await ask('renew', 'a', '1', 0), { word: 'kept', mark: '1.3' })
  t.match(await ask('take', 'b', '1.2'), { word: 'stale', mark: '1.3' }, 'it was renewed since')
  t.match(await ask('take', 'b', '1.3'), { word: 'taken', generation: 2 }, 'as it was seen')
  t.match(await ask('renew', 'a', '1'), { word: 'lost', owner: { who: 'b' } }, 'its owner is fenced')
  t.match(await ask('release', 'b', '2'), { word: 'free', owner: null })
  t.match(await ask('renew', 'b', '2'), { word: 'lost' }, 'what was given back is not renewed')
  const names = Array.from({ length: 12 }, (_, index) => `r${index}`)
  const words = async (mine: string, prefix = ''): Promise<string[]> =>
    (await Promise.all(names.map(name => ask('take', prefix + name, mine))))
      // Whoever has just lost a race may read a file that is gone by then, and looks again later.
      .map(answer => (answer?.word === 'stale' ? 'held' : (answer?.word ?? 'none')))
      .sort()
  const expected = [...names.slice(1).map(() => 'held'), 'taken']
  t.same(await words('0'), expected, 'of many at once, one gets it')
  const held = await ask('look', 'x')
  t.match(await ask('renew', held?.owner?.who ?? '', String(held?.generation), 0), { word: 'kept' })
  t.same(await words(`${held?.generation}.1`, 'other-'), expected, 'also when all take it over')
}
