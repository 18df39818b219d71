import { staysBelow } from '../../journal/run-path.js'
import type { RunState, SeenCheck, TestState } from '../../journal/state.js'
import { tailOf } from '../clean.js'
import type { Finding } from '../findings.js'
import { mostUsefulFirst } from '../junit/attachments.js'
import { html, type Markup, nothing } from './markup.js'

const mostFindings = 200
const mostPlaces = 50
const mostChecks = 20
const mostBytes = 8 * 1024

/** What a finding is shown with. */
export interface FindingContext {
  readonly state: RunState
  readonly title: string
  /** The run's folder as seen from the page, with `/`. */
  readonly evidence: string
}

/** All findings of a kind: each cause once, with every test that it hit. */
export function findingSection(
  kind: Finding['kind'],
  findings: readonly Finding[],
  context: FindingContext,
): Markup {
  const own = findings.filter(finding => finding.kind === kind)
  if (own.length === 0) return nothing
  const total = own.reduce((sum, { tests }) => sum + tests.length, 0)
  const more = own.length > mostFindings ? html`<p>and ${own.length - mostFindings} more causes</p>` : nothing
  return html`<section aria-labelledby="${kind}"><h2 id="${kind}" class="${kind}">${context.title} (${total})</h2>
${own.slice(0, mostFindings).map(finding => article(finding, context))}${more}</section>
`
}

function article({ kind, reason, tests }: Finding, { evidence }: FindingContext): Markup {
  const [first] = tests
  const shown = tests.slice(0, mostPlaces)
  const more = tests.length > mostPlaces ? html`<li>and ${tests.length - mostPlaces} more</li>` : nothing
  const isDetailed = kind === 'fail' || kind === 'error' || kind === 'flaky'
  return html`<article><h3><span class="verdict ${kind}">${kind}</span> ${reason === '' ? 'no reason given' : reason}</h3>
<ul class="where">${shown.map(place)}${more}</ul>
${first !== undefined && isDetailed ? details(first, evidence) : nothing}</article>
`
}

function place({ planned, environment, cause, attempts }: TestState): Markup {
  const facts = [
    ...(planned.level === 'optional' ? ['optional'] : []),
    ...(cause === null ? [] : [`cause: ${cause}`]),
    ...(attempts.length > 1 ? [`${attempts.length} attempts`] : []),
  ]
  return html`<li><strong>${planned.id}</strong> in ${environment}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}<br><span class="faint">${planned.title} · ${planned.manifest}:${planned.line}</span></li>`
}

/** What was seen in the first of its tests: its failed checks, standard error, and the evidence. */
function details(test: TestState, folder: string): Markup {
  const attempt = test.flaky
    ? (test.attempts.find(({ verdict }) => verdict === 'fail' || verdict === 'error') ?? test.decisive)
    : test.decisive
  if (attempt === null) return nothing
  const failed = attempt.checks.filter(({ state }) => state === 'not-ok')
  const checks =
    failed.length === 0
      ? nothing
      : html`<pre>${tail(failed.slice(0, mostChecks).map(checkText).join('\n'))}</pre>`
  const stderr =
    attempt.stderr.trim() === ''
      ? nothing
      : html`<p>End of standard error:</p><pre>${tail(attempt.stderr.trimEnd())}</pre>`
  const links = mostUsefulFirst(attempt.evidence)
    .filter(({ path }) => staysBelow(path))
    .map(({ path, bytes }) => html`<li><a href="${href(folder, path)}">${path}</a> (${bytes} bytes)</li>`)
  const evidence = links.length === 0 ? nothing : html`<ul class="where">${links}</ul>`
  if (checks === nothing && stderr === nothing && evidence === nothing) return nothing
  return html`<details open=""><summary>${test.planned.id} in ${test.environment}</summary>${checks}${stderr}${evidence}</details>`
}

function checkText({ text, diagnostics }: SeenCheck): string {
  const more = diagnostics === undefined ? '' : `\n    ${diagnostics.trimEnd().replaceAll('\n', '\n    ')}`
  return `not ok - ${text.replace(/\s+/g, ' ')}${more}`
}

function tail(whole: string): string {
  const { text, cutBytes } = tailOf(whole, mostBytes)
  return cutBytes === 0 ? text : `[${cutBytes} bytes cut]\n${text}`
}

function href(folder: string, path: string): string {
  const parts = [...folder.split('/'), ...path.split('/')].filter(part => part !== '')
  return parts.map(part => (part === '..' ? part : encodeURIComponent(part))).join('/')
}
