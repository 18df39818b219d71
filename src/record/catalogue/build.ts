import { html, type Markup, nothing } from '../../reports/html/markup.js'
import type { Record } from '../ledger/read.js'
import { type Standing, standingsOf } from '../ledger/status.js'
import { viewOf } from '../ledger/view.js'
import type { RunPredicate } from '../statement/types.js'
import { minuteOf, page, stateWord, tableOf } from './page.js'

/** A file of the catalogue; the path is relative to it. */
export interface CatalogueFile {
  readonly path: string
  readonly content: string
}

/** The catalogue of a record: a support matrix, a page for each pairing, the waivers, and all of it for programs. */
export function catalogueOf(record: Record, nowMs: number): readonly CatalogueFile[] {
  const standings = standingsOf(record, nowMs)
  const made = new Date(nowMs).toISOString()
  return [
    { path: 'index.html', content: matrixPage(record, standings, made) },
    ...standings.map(standing => ({
      path: `${standing.pairing}.html`,
      content: pairingPage(record, standing),
    })),
    { path: 'waivers.html', content: waiversPage(record) },
    {
      path: 'catalogue.json',
      content: `${JSON.stringify(catalogueJson(record, standings, made), null, 2)}\n`,
    },
  ]
}

function matrixPage(record: Record, standings: readonly Standing[], made: string): string {
  const rows = standings.flatMap(standing => {
    const { pairing, title, state, validUntil, number } = standing
    const link = html`<a href="${pairing}.html">${title}</a>`
    const configurations = standing.runs.length === 0 ? ['-'] : standing.runs.map(configurationText)
    return configurations.map(text => [
      link,
      text,
      stateWord(state),
      validUntil?.slice(0, 10) ?? '-',
      number ?? '-',
    ])
  })
  const main = html`<p>What is certified as a guest of what, by the record of ${record.config.party}, as of <time datetime="${made}">${made.slice(0, 10)}</time>.
Every row can be verified: see VERIFY.md in the bundle that this catalogue came with.</p>
${tableOf('Support matrix', ['Pairing', 'Configuration', 'State', 'Until', 'Certificate'], rows)}
<p><a href="waivers.html">Waived failures</a> · <a href="catalogue.json">For programs</a></p>`
  return page('Certified guests', main, null)
}

function pairingPage(record: Record, standing: Standing): string {
  const { title, state, validUntil, number, why, certificate, runs } = standing
  const view = viewOf(record)
  const decisions = view.decisions.filter(({ predicate }) => predicate.guestcert.pairing === standing.pairing)
  const support = certificate?.predicate.support
  const main = html`<p>${stateWord(state)}${number === null ? nothing : html` · certificate ${number}`}${validUntil === null ? nothing : html` · until <time datetime="${validUntil}">${validUntil.slice(0, 10)}</time>`}</p>
${why.length === 0 ? nothing : html`<ul>${why.map(text => html`<li>${text}</li>`)}</ul>`}
${support === undefined ? nothing : html`<h2>Support</h2><p>Call ${support.first} first. ${support.first} brings in ${support.second} where that is needed.</p>`}
<h2>Decisions</h2>
${tableOf(
  'Who decided, when, by which policy',
  ['Party', 'Time', 'Result', 'Policy', 'Entry'],
  decisions.map(({ entry, predicate }) => [
    entry.signers.map(({ party }) => party).join(', ') || 'nobody who is trusted',
    minuteOf(predicate.timeVerified),
    predicate.verificationResult,
    predicate.policy.uri.replace(/^guestcert:policy\//, ''),
    entry.leaf,
  ]),
)}
${runs.map(run => runSection(run))}`
  return page(title, main, 'index.html')
}

function runSection(run: RunPredicate): Markup {
  const { observed } = run
  const facts = [
    ...Object.entries(observed.guestFacts).map(([name, value]) => [`guest: ${name}`, value]),
    ...Object.entries(observed.hostFacts).map(([name, value]) => [`host: ${name}`, value]),
  ]
  return html`<section><h2>Run ${run.run}</h2>
<p>${configurationText(run)}. Begun ${minuteOf(run.openedAt)}, ${run.closedAt === null ? 'never ended' : html`ended ${minuteOf(run.closedAt)}`}, by ${run.harness.name}.</p>
${tableOf(
  'Tests',
  ['Test', 'Requirements', 'Verdict', 'Attempts'],
  run.tests.map(({ id, requirements, verdict, attempts }) => [
    id,
    requirements.join(' '),
    html`<span class="verdict ${verdict}">${verdict}</span>`,
    String(attempts.length),
  ]),
)}
${tableOf('Certified facts', ['Fact', 'Value'], facts)}</section>`
}

/** What a configuration is, in words. */
function configurationText({ pairing }: RunPredicate): string {
  const { guest, hypervisor, configuration } = pairing
  const parts = Object.entries(configuration)
    .filter(([name]) => name !== 'memoryBytes')
    .map(([name, value]) => `${name} ${value}`)
  const memory = configuration.memoryBytes
  const size = memory === undefined ? [] : [`memory ${Math.round(Number(memory) / 2 ** 20)} MiB`]
  return `${guest.product} ${guest.version} (${guest.arch}) on ${hypervisor.product} ${hypervisor.version}: ${[...parts, ...size].join(', ')}`
}

function waiversPage(record: Record): string {
  const waived = viewOf(record).decisions.flatMap(({ predicate }) =>
    predicate.guestcert.waived.map(({ test, waiver, expires }) => [
      waiver,
      test,
      predicate.guestcert.pairing,
      expires,
      predicate.timeVerified.slice(0, 10),
    ]),
  )
  const main =
    waived.length === 0
      ? html`<p>No decision of this record rests on a waived failure.</p>`
      : tableOf(
          'Failures that decisions forgave',
          ['Waiver', 'Test', 'Pairing', 'Expires', 'Decided'],
          waived,
        )
  return page('Waived failures', main, 'index.html')
}

function catalogueJson(record: Record, standings: readonly Standing[], made: string): object {
  return {
    catalogue: 1,
    party: record.config.party,
    asOf: made,
    log: {
      origin: record.trust.file.log.origin,
      size: record.log.tree.size,
      root: record.log.tree.root().toString('base64'),
    },
    pairings: standings.map(({ certificate, runs, ...standing }) => ({
      ...standing,
      support: certificate?.predicate.support ?? null,
      policy: certificate?.predicate.policy ?? null,
      configurations: runs.map(({ pairing }) => pairing),
    })),
  }
}
