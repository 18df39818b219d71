import t from 'tap'
import { parseMomentMs } from './moment.js'

t.test('a moment has its zone, and a day is meant to its end in UTC', async t => {
  t.equal(parseMomentMs('2026-12-24T18:00Z'), Date.UTC(2026, 11, 24, 18))
  t.equal(parseMomentMs('2026-12-24T18:00:30+02:00'), Date.UTC(2026, 11, 24, 16, 0, 30))
  t.equal(parseMomentMs('2026-12-24 18:00Z'), Date.UTC(2026, 11, 24, 18))
  t.equal(parseMomentMs('2026-12-24'), Date.UTC(2026, 11, 25))
})

t.test('what is not a moment is none', async t => {
  for (const text of [
    '',
    'tomorrow',
    '2026-13-01',
    '2026-02-30',
    '2026-12-24T18:00',
    '24.12.2026',
    '2026-12-24T25:00Z',
  ]) {
    t.equal(parseMomentMs(text), null, text)
  }
})
