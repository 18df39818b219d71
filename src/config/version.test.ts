import t from 'tap'
import { compareVersions, inRange, parseRange, parseVersion } from './version.js'

function order(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)]
  if (left === null || right === null) {
    throw new Error(`no version: ${a} or ${b}`)
  }
  return Math.sign(compareVersions(left, right))
}

function within(versionText: string, rangeText: string): boolean {
  const [version, range] = [parseVersion(versionText), parseRange(rangeText)]
  if (version === null || range === null) {
    throw new Error(`no version or range: ${versionText}, ${rangeText}`)
  }
  return inRange(version, range)
}

t.test('versions order as their vendors released them', async t => {
  const released = [
    '2000 SP4',
    '2003 SP2',
    '2003 R2',
    '2008 SP2',
    '2008 R2',
    '2008 R2 SP1',
    '2012',
    '2012 R2',
    '2016',
  ]
  released.slice(1).forEach((newer, index) => {
    t.equal(order(released[index] ?? '', newer), -1, `${released[index]} is older than ${newer}`)
  })
  t.equal(order('5.9', '5.11'), -1)
  t.equal(order('11 SP4', '12'), -1)
  t.equal(order('15-SP5', '15 SP5'), 0)
})

t.test('a bare version holds for everything below it, and for no other release', async t => {
  t.equal(within('9.6', '9'), true)
  t.equal(within('9', '9.6'), false)
  t.equal(within('2008 SP2', '2008'), true)
  t.equal(within('2008 R2 SP1', '2008'), false)
  t.equal(within('2008 R2 SP1', '2008 R2'), true)
  t.equal(within('11 SP4', '11 SP3'), false)
})

t.test('comparators must all hold; alternatives need one', async t => {
  t.equal(within('5.4', '>=5.4, <7'), true)
  t.equal(within('5.3', '>=5.4, <7'), false)
  t.equal(within('7.0', '>=5.4, <7'), false)
  t.equal(within('2012', '2008 || >=2012'), true)
  t.equal(within('2008 R2', '2008 || >=2012'), false)
})

t.test('what is not a version is refused', async t => {
  for (const text of ['', 'latest', '5.x', '5..1', '>=']) {
    t.equal(parseRange(text), null, JSON.stringify(text))
  }
})
