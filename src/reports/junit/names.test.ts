import t from 'tap'
import { sampleEnvironment } from '../../../test/sample-run.js'
import { caseName, className, outcomeType, seconds, stableId, suiteName } from './names.js'

const id = 'ws2008@rhel-kvm-9.6/bios-virtio-blk'

t.test('suites are named by environment and suite, and emulated ones say so', async t => {
  t.equal(suiteName(sampleEnvironment(id, []), 'clock'), `${id}/clock`)
  t.equal(suiteName(sampleEnvironment(id, [], { emulated: true }), 'clock'), `${id}/clock (EMULATED)`)
})

t.test('names that are too long stay different and keep their mark', async t => {
  const long = (end: string): string =>
    suiteName(sampleEnvironment(`${'x'.repeat(300)}${end}`, [], { emulated: true }), 'clock')
  t.equal(long('a').length, 200)
  t.match(long('a'), / \(EMULATED\)$/)
  t.not(long('a'), long('b'))
})

t.test('the last dot of a class name is ours', async t => {
  t.equal(className(id, 'net.dhcp-v6'), 'ws2008@rhel-kvm-9_6/bios-virtio-blk.net_dhcp-v6')
})

t.test('no two suites or environments share a class name', async t => {
  const names = [
    ...['net.ipv6', 'net_ipv6', 'net-ipv6', 'net ipv6', 'net..ipv6', 'net._ipv6', 'net_.ipv6', 'net__ipv6'],
    ...['net', '_', '.', '', ' ', 'x'.repeat(300), `${'x'.repeat(300)}y`],
  ]
  for (const classes of [
    names.map(suite => className(id, suite)),
    names.map(environment => className(environment, 'net')),
    [className('a.b', 'c'), className('a', 'b.c'), className('a', 'b_c'), className('a_b', 'c')],
  ]) {
    t.equal(new Set(classes).size, classes.length, classes.join(' '))
    for (const name of classes) t.equal(name.split('.').length, 2, name)
  }
})

t.test('a case is named by its identity, not by its title', async t => {
  t.equal(caseName('clock/drift', 'clock'), 'drift')
  t.equal(caseName('clock/drift[cpu=2]', 'clock'), 'drift[cpu=2]')
})

t.test('identities are 128 bits that depend on every part', async t => {
  t.match(stableId('a', 'b'), /^[0-9a-f]{32}$/)
  t.not(stableId('a', 'b'), stableId('ab'))
  t.not(stableId('a', 'b'), stableId('b', 'a'))
  t.equal(stableId('clock', 'clock/drift', id), stableId('clock', 'clock/drift', id))
})

t.test('types say whose fault it is', async t => {
  const counts = { ok: 0, notOk: 0, todo: 0, skip: 0 }
  t.equal(
    outcomeType({ verdict: 'fail', cause: 'guest', counts: { ...counts, notOk: 1 } }),
    'AssertionFailed',
  )
  t.equal(outcomeType({ verdict: 'fail', cause: 'guest', counts }), 'GuestFailed')
  t.equal(outcomeType({ verdict: 'error', cause: 'network', counts }), 'Infra.Network')
  t.equal(outcomeType({ verdict: 'error', cause: null, counts }), 'Error.Unknown')
  t.equal(outcomeType({ verdict: 'blocked', cause: 'unknown', counts }), 'Blocked')
  t.equal(outcomeType({ verdict: 'not-run', cause: 'runner', counts }), 'NotRun')
})

t.test('seconds have three decimals, no sign and no exponent', async t => {
  t.equal(seconds(1500), '1.500')
  t.equal(seconds(0.0001), '0.000')
  t.equal(seconds(-5), '0.000')
  t.equal(seconds(Number.NaN), '0.000')
  t.equal(seconds(86_400_000), '86400.000')
})
