import t from 'tap'
import { applyWaivers, type WaivableResult } from './apply.js'
import { type Waiver, waiversSchema } from './schema.js'

const waiver: Waiver = {
  id: 'w-1',
  test: 'clock/drift',
  guest: { product: 'rhel', version: '5' },
  reason: 'the clock of this kernel drifts under load',
  link: 'https://bugs.example/17',
  owner: 'ann',
  approver: 'ben',
  expires: '2026-12-24',
}
const result: WaivableResult = {
  test: 'clock/drift',
  verdict: 'fail',
  guest: { product: 'rhel', version: '5.11' },
  hypervisor: { product: 'rhel-kvm', version: '9.6' },
}
const before = Date.parse('2026-12-01T00:00:00Z')
const after = Date.parse('2026-12-26T00:00:00Z')

t.test('a failure is waived for its test, guest and time alone', async t => {
  t.equal(applyWaivers([result], [waiver], before).waived.get(0)?.id, 'w-1')
  const others: readonly Partial<WaivableResult>[] = [
    { test: 'clock/monotonic' },
    { guest: { product: 'rhel', version: '9.6' } },
    { guest: { product: 'centos', version: '5.11' } },
  ]
  for (const other of others) {
    const { waived, reports } = applyWaivers([{ ...result, ...other }], [waiver], before)
    t.equal(waived.size, 0, JSON.stringify(other))
    t.match(reports, [{ kind: 'unused' }])
  }
  const elsewhere = { ...waiver, hypervisor: { product: 'hyper-v' } }
  t.equal(applyWaivers([result], [elsewhere], before).waived.size, 0)
})

t.test('an expired waiver forgives nothing, and is said', async t => {
  const { waived, reports } = applyWaivers([result], [waiver], after)
  t.equal(waived.size, 0)
  t.match(reports, [{ kind: 'expired', text: /expired on 2026-12-24/ }])
})

t.test('only a failure is forgiven: an error says nothing about the guest', async t => {
  for (const verdict of ['error', 'skip', 'blocked', 'not-run'] as const) {
    t.equal(applyWaivers([{ ...result, verdict }], [waiver], before).waived.size, 0, verdict)
  }
  t.match(applyWaivers([{ ...result, verdict: 'pass' }], [waiver], before).reports, [{ kind: 'passed' }])
})

t.test('a waiver names one test, and is approved by another person than its owner', async t => {
  const mistakes = (changes: Partial<Waiver>): string[] =>
    waiversSchema
      .safeParse({ waivers: [{ ...waiver, ...changes }] })
      .error?.issues.map(issue => issue.message) ?? []
  t.same(mistakes({}), [])
  t.match(mistakes({ approver: 'Ann ' }), [/not the owner/])
  t.match(mistakes({ test: 'clock/*' }), [/expected one test/])
  t.equal(mistakes({ expires: 'never' }).length, 1)
})
