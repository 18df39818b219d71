import t from 'tap'
import { everyVerdict, realEnvironment } from '../../../test/every-verdict.js'
import { elements, readXml } from '../../../test/read-xml.js'
import { waiveRun } from '../../waivers/of-run.js'
import type { Waiver } from '../../waivers/schema.js'
import { junitFor } from './build.js'
import type { Profile } from './document.js'

const { state } = everyVerdict()
const environment = state.environments.find(({ planned }) => planned.id === realEnvironment)
const { guest } = environment?.planned ?? {}
const waiver: Waiver = {
  id: 'w-1',
  test: 'clock/monotonic',
  guest: { product: guest?.product ?? '', version: guest?.version ?? '' },
  reason: 'the clock of this kernel drifts under load',
  link: 'https://bugs.example/17',
  owner: 'ann',
  approver: 'ben',
  expires: '2026-12-24',
}
const [before, after] = [Date.parse('2026-12-01T00:00:00Z'), Date.parse('2026-12-26T00:00:00Z')]

function shown(profile: Profile, nowMs: number) {
  const { waived, reports } = waiveRun(state, [waiver], nowMs)
  const document = readXml(junitFor(state, realEnvironment, { profile, waived }))
  const found = elements(document, 'testcase').find(({ attributes }) => attributes.name === 'monotonic')
  const children = found?.children.filter(({ name }) => name !== 'properties' && name !== 'system-out') ?? []
  const counted = profile === 'rich' ? [document] : elements(document, 'testsuite')
  const sum = (name: string): number => counted.reduce((all, one) => all + Number(one.attributes[name]), 0)
  return { reports, found, outcome: children[0], failures: sum('failures'), skipped: sum('skipped') }
}

t.test(
  'a forgiven failure is skipped for CI, with what it was, and a failure in what is submitted',
  async t => {
    const raw = shown('strict', before)
    t.equal(raw.outcome?.name, 'failure')
    const { outcome, found, failures, skipped } = shown('rich', before)
    t.equal(outcome?.name, 'skipped')
    t.match(outcome?.attributes.message, /^WAIVED w-1 until 2026-12-24; original: fail: not ok: the guest/)
    const properties = found === undefined ? [] : elements(found, 'property')
    const told = properties.find(({ attributes }) => attributes.name === 'waiver')?.attributes.value
    t.match(told, /^w-1: the clock of this kernel drifts under load \(https/)
    const without = shown('rich', after)
    t.equal(without.outcome?.name, 'failure', 'an expired waiver forgives nothing')
    t.match(without.reports, [{ kind: 'expired' }])
    t.same([failures, skipped], [without.failures - 1, without.skipped + 1], 'it is counted as it is shown')
  },
)
