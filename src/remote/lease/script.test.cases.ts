import { execFile } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { type LeaseAnswer, parseLease } from './answer.js'
import { leaseScript } from './script.js'

type Ask = (
  what: string,
  id: string,
  mine?: string,
  ttlSec?: number,
  everySec?: number,
) => Promise<LeaseAnswer>

const contenders = 12

/** Asks with the script itself, in this shell. */
export function leaseClient(
  shell: readonly string[],
  folder: string,
  env: NodeJS.ProcessEnv = process.env,
): Ask {
  const [file = '', ...args] = shell
  return async (what, id, mine = '0', ttlSec = 60, everySec = 20) => {
    const words = [
      what,
      folder,
      id,
      String(ttlSec),
      String(everySec),
      mine,
      `who ${id}\nfrom here\nrun ${id}`,
    ]
    const { stdout } = await promisify(execFile)(file, [...args, '-c', leaseScript, 'gc', ...words], { env })
    const answer = parseLease(stdout)
    if (answer === null) {
      throw new Error(`no answer: ${stdout}`)
    }
    return answer
  }
}

/** What the script must do in any shell. */
export async function leaseCases(t: Test, shell: readonly string[]): Promise<void> {
  await t.test('one takes it, the other is told whose it is', async t => {
    const ask = leaseClient(shell, join(t.testdir(), 'lease'))
    t.match(await ask('look', 'a'), { word: 'free', generation: 0, owner: null })
    t.match(await ask('take', 'a'), { word: 'taken', generation: 1, owner: { who: 'a', run: 'a' } })
    t.match(await ask('take', 'b'), { word: 'held', generation: 1, owner: { who: 'a' }, everyMs: 20_000 })
    t.match(await ask('renew', 'b', '1'), { word: 'lost' }, 'another cannot renew it')
    t.match(await ask('release', 'b', '1'), { word: 'lost' }, 'nor give it back')
    t.match(await ask('renew', 'a', '1'), { word: 'kept', mark: '1.1' })
    t.match(await ask('release', 'a', '1'), { word: 'free', owner: null })
    t.match(await ask('renew', 'a', '1'), { word: 'lost' }, 'what was given back is not renewed')
    t.match(await ask('take', 'b'), { word: 'taken', generation: 2 }, 'the token rises')
  })

  await t.test('an expired one is taken over only as it was seen, and its owner is fenced', async t => {
    const folder = join(t.testdir(), 'lease')
    const ask = leaseClient(shell, folder)
    t.match(await ask('take', 'a', '0', 0), { word: 'taken', generation: 1 })
    t.match(await ask('take', 'b'), { word: 'stale', mark: '1.0', owner: { who: 'a' } })
    t.match(await ask('renew', 'a', '1', 0), { word: 'kept', mark: '1.1' }, 'nobody has taken it')
    t.match(await ask('take', 'b', '1.0'), { word: 'stale', mark: '1.1' }, 'it was renewed since')
    t.match(await ask('take', 'b', '1.1'), { word: 'taken', generation: 2 })
    t.match(await ask('renew', 'a', '1'), { word: 'lost', owner: { who: 'b' } })
    t.match(await ask('release', 'a', '1'), { word: 'lost' })
    t.match(await ask('renew', 'b', '2'), { word: 'kept' })
    t.same(readdirSync(folder), ['2'], 'nothing else is left there')
  })

  await t.test('a clock that was set back makes it stale', async t => {
    const folder = join(t.testdir(), 'lease')
    const ask = leaseClient(shell, folder)
    await ask('take', 'a', '0', 60)
    const later = Math.floor(Date.now() / 1000) + 86_400
    const record = `state held\nid a\nuntil ${later}\nttl 60\nevery 20\nrenewal 0\nwho a\nend\n`
    writeFileSync(join(folder, '1'), record)
    t.match(await ask('take', 'b'), { word: 'stale' })
  })

  await t.test('a torn or foreign file is never taken for a living lease, nor for ours', async t => {
    const folder = join(t.testdir({ lease: { '8': 'state held\nid a\nuntil 99', x: '', '09': '' } }), 'lease')
    const ask = leaseClient(shell, folder)
    t.match(await ask('renew', 'a', '8'), { word: 'lost' })
    t.match(await ask('look', 'a'), { word: 'stale', generation: 8 })
    t.match(await ask('take', 'a', '8.0'), { word: 'taken', generation: 9 })
  })

  await t.test('of many at once, one gets it', async t => {
    const ask = leaseClient(shell, join(t.testdir(), 'lease'))
    const names = Array.from({ length: contenders }, (_, index) => `r${index}`)
    const words = async (mine: string, prefix = ''): Promise<string[]> =>
      (await Promise.all(names.map(name => ask('take', prefix + name, mine)))).map(({ word }) => word).sort()
    const expected = [...Array.from({ length: contenders - 1 }, () => 'held'), 'taken']
    t.same(await words('0'), expected)
    const held = await ask('look', 'x')
    t.match(await ask('renew', held.owner?.who ?? '', String(held.generation), 0), { word: 'kept' })
    // Its holder is not among them: one that renews just before is fenced at its next renewal.
    t.same(await words(`${held.generation}.1`, 'other-'), expected, 'also when all take it over')
    t.match(await ask('renew', held.owner?.who ?? '', String(held.generation)), { word: 'lost' })
  })

  await t.test('a link in the place of the folder is refused', async t => {
    const folder = t.testdir({ real: {}, lease: t.fixture('symlink', 'real') })
    const ask = leaseClient(shell, join(folder, 'lease'))
    t.match(await ask('take', 'a'), { word: 'broken', why: /is a link/ })
    t.same(readdirSync(join(folder, 'real')), [])
  })
}
