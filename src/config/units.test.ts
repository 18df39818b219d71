import t from 'tap'
import { formatDuration, formatMeasured, formatSize, parseDurationMs, parseSizeBytes } from './units.js'

t.test('durations are read in the units that labs write', async t => {
  const cases = {
    '250ms': 250,
    '90s': 90_000,
    '10m': 600_000,
    '1h30m': 5_400_000,
    '1.5s': 1500,
    '4h': 14_400_000,
  }
  for (const [text, ms] of Object.entries(cases)) {
    t.equal(parseDurationMs(text), ms, text)
  }
  for (const text of ['', '10', '10 m', '-5s', '1d', 's', '1m1h']) {
    t.equal(parseDurationMs(text), null, JSON.stringify(text))
  }
})

t.test('sizes are read in binary and decimal units, and written back as labs write them', async t => {
  t.equal(parseSizeBytes('4GiB'), 4 * 2 ** 30)
  t.equal(parseSizeBytes('4GB'), 4e9)
  t.equal(parseSizeBytes('4 GiB'), 4 * 2 ** 30)
  t.equal(parseSizeBytes('4G'), null)
  t.equal(formatSize(4 * 2 ** 30), '4GiB')
  t.equal(formatSize(1536 * 2 ** 20), '1536MiB')
})

t.test('durations are written as people say them', async t => {
  t.equal(formatDuration(850), '850 ms')
  t.equal(formatDuration(12_340), '12.3 s')
  t.equal(formatDuration(59_990), '1 m 00 s')
  t.equal(formatDuration(3_725_000), '1 h 02 m')
})

t.test('numbers that were measured are written with the digits that were measured', async t => {
  const rows: readonly [value: number, text: string][] = [
    [0, '0'],
    [12, '12'],
    [18446744073, '18446744073'],
    [-3.300048828125, '-3.3'],
    [1234.567890123, '1234.568'],
    [0.1 + 0.2, '0.3'],
    [0.000123456, '0.000123'],
    [-1.5, '-1.5'],
  ]
  for (const [value, text] of rows) t.equal(formatMeasured(value), text)
})
