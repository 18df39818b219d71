import { html, nothing } from '../../reports/html/markup.js'
import { canonicalBytes } from '../canonical.js'
import type { Record } from '../ledger/read.js'
import { type CustomerFacts, coverageOf, type Standing } from '../ledger/status.js'
import type { CatalogueFile } from './build.js'
import { page, stateWord, tableOf } from './page.js'

/** What one vendor sends to the other when a customer has called: the certificate, and the customer's facts beside it. */
export function handoverOf(
  record: Record,
  standing: Standing,
  customer: CustomerFacts,
): readonly CatalogueFile[] {
  const { certificate, runs } = standing
  const leaves = new Set([
    ...(certificate?.predicate.decisions ?? []),
    ...(certificate?.predicate.runs ?? []),
  ])
  const evidence = record.entries.filter(({ leaf }) => leaf === certificate?.entry.leaf || leaves.has(leaf))
  return [
    { path: 'handover.html', content: handoverPage(standing, customer) },
    {
      path: 'facts.json',
      content: `${JSON.stringify({ certified: runs.map(({ observed: { guestFacts, hostFacts } }) => ({ guest: guestFacts, host: hostFacts })), customer }, null, 2)}\n`,
    },
    ...evidence.map(({ kind, leaf, envelope }) => ({
      path: `evidence/${kind}-${leaf.slice(0, 12)}.json`,
      content: canonicalBytes(envelope).toString('utf8'),
    })),
  ]
}

function handoverPage(
  { title, state, number, certificate, runs }: Standing,
  customer: CustomerFacts,
): string {
  const [run] = runs
  const support = certificate?.predicate.support
  const coverage =
    run === undefined || certificate === null ? null : coverageOf(run, customer, certificate.predicate.carry)
  const marked = new Set(coverage?.differences.map(({ name }) => name) ?? [])
  const rows = (
    side: 'guest' | 'host',
    certified: CustomerFacts['guest'],
  ): (readonly [string, string, string, string])[] =>
    [...new Set([...Object.keys(certified), ...Object.keys(customer[side])])].sort().map(name => {
      const key = side === 'host' ? `host: ${name}` : name
      return [
        key,
        certified[name] ?? '(not recorded)',
        customer[side][name] ?? '(not told)',
        marked.has(key) ? 'differs' : '',
      ]
    })
  const main = html`<p>${stateWord(state)}${number === null ? nothing : html` · certificate ${number}`}${coverage === null ? nothing : html` · the customer’s machines: <strong>${coverage.state}</strong>`}</p>
${support === undefined ? nothing : html`<p>First called: ${support.first}. Brought in: ${support.second}.</p>`}
${run === undefined ? html`<p>There is no run of this pairing.</p>` : tableOf('Certified facts beside the customer’s', ['Fact', 'Certified', 'Customer', ''], [...rows('guest', run.observed.guestFacts), ...rows('host', run.observed.hostFacts)])}
<p>This is a redacted copy: the journal of the run is not in it, so its verdicts cannot be folded again from here. The signed statements are in evidence/; their entries can be checked against the record’s log.</p>`
  return page(`Handover: ${title}`, main, null)
}
