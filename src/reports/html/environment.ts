import { formatDuration, formatMeasured } from '../../config/units.js'
import type { EnvironmentState, TestState } from '../../journal/state.js'
import { html, type Markup, nothing } from './markup.js'

/** More rows make a page that browsers are slow with; summary.json and JUnit have them all. */
const mostRows = 2000
const mostFacts = 100

/** One environment: what it is, what was seen of it, and all of its tests. */
export function environmentSection({
  planned,
  counts,
  tests,
  instances,
  durationMs,
}: EnvironmentState): Markup {
  const { guest, hypervisor, configuration } = planned
  const isGood = counts.pass + counts.skip === tests.length
  const bad = tests.length - counts.pass - counts.skip
  const ready = instances.findLast(one => one.ready !== null && one.peer === null)?.ready
  const edition = guest.edition === null ? '' : ` ${guest.edition}`
  const more =
    tests.length > mostRows ? html`<p>and ${tests.length - mostRows} more, in summary.json</p>` : nothing
  return html`<details class="environment"><summary><strong>${planned.id}</strong>${planned.emulated ? html` <span class="verdict not-run">EMULATED</span>` : nothing}
<span class="verdict ${isGood ? 'pass' : 'fail'}">${isGood ? `all ${counts.pass} passed` : `${bad} of ${tests.length} did not pass`}</span>${counts.skip === 0 ? '' : `, ${counts.skip} skipped`}</summary>
<p>${guest.product} ${guest.version}${edition}, ${guest.arch}, on ${hypervisor.product} ${hypervisor.version}, configuration ${configuration.name}; ${formatDuration(durationMs)}; hosts: ${[...new Set(instances.map(({ host }) => host))].join(', ') || 'none'}</p>
<div class="scroll"><table><caption>Tests of ${planned.id}</caption>
<thead><tr><th scope="col">verdict</th><th scope="col">test</th><th scope="col">level</th><th scope="col" class="number">time</th><th scope="col">reason, measures</th></tr></thead>
<tbody>${tests.slice(0, mostRows).map(row)}</tbody></table></div>${more}
${unexpectedList(instances)}${factTable(ready?.facts ?? {})}
</details>
`
}

function row(test: TestState): Markup {
  const { planned, verdict, reason, flaky, decisive } = test
  const kind = flaky ? 'flaky' : verdict
  const measures = Object.entries(decisive?.measures ?? {}).map(
    ([name, { value, unit }]) => `${name}: ${formatMeasured(value)} ${unit}`,
  )
  const said = [...(reason === '' ? [] : [reason]), ...measures].join('; ')
  return html`<tr><td class="verdict ${kind}">${kind}</td><td>${planned.id}<br><span class="faint">${planned.title}</span></td><td>${planned.level}</td><td class="number">${decisive === null ? '' : formatDuration(decisive.durationMs)}</td><td>${said}</td></tr>
`
}

/** What happened to its virtual machines though nobody asked for it. */
function unexpectedList(instances: EnvironmentState['instances']): Markup {
  const all = instances.flatMap(({ id, unexpected }) => unexpected.map(what => ({ id, ...what })))
  return all.length === 0
    ? nothing
    : html`<p>Not asked for:</p><ul>${all.slice(0, mostFacts).map(({ id, type, at, text }) => html`<li>${at}: ${id} was ${type}: ${text}</li>`)}</ul>
`
}

function factTable(facts: Readonly<Record<string, string>>): Markup {
  const all = Object.entries(facts).slice(0, mostFacts)
  return all.length === 0
    ? nothing
    : html`<details><summary>Facts of the guest</summary><div class="scroll"><table><caption>What the guest showed of itself</caption><tbody>${all.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table></div></details>`
}
