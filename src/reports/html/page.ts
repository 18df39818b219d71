import { dirname, relative, sep } from 'node:path'
import { formatDuration } from '../../config/units.js'
import { exitMeanings, meaningOf } from '../../journal/exit.js'
import type { RunState } from '../../journal/state.js'
import { countWords, findingOrder, findingsOf, findingTitles, leftOutWords, slowestOf } from '../findings.js'
import { htmlDocument } from './document.js'
import { environmentSection } from './environment.js'
import { findingSection } from './finding.js'
import { html, type Markup, nothing } from './markup.js'

/** What a page shows beside the state. */
export interface PageOptions {
  readonly exitCode: number
  /** The run's folder, whose evidence the page links to. Absolute. */
  readonly folder: string
  /** Where the page will stand. Absolute. */
  readonly path: string
}

const mostSlow = 10

/** A run as one page for people: what is wrong first, then every environment with all of its tests. */
export function htmlPage(state: RunState, { exitCode, folder, path }: PageOptions): string {
  const name = exitMeanings.find(({ code }) => code === exitCode)?.name ?? 'unknown'
  const title = `guestcert: ${name}: ${state.lab}, ${state.run ?? 'unknown run'}`
  const evidence = relative(dirname(path), folder).split(sep).join('/')
  const findings = findingsOf(state)
  return htmlDocument({
    title,
    skip: 'Skip to the results',
    header: html`<h1>guestcert: <span class="${exitCode === 0 ? 'pass' : 'fail'}">${name}</span></h1>
<p>${meaningOf(exitCode)} Exit code ${exitCode}.</p>
${emulatedBanner(state)}
${leftOutBanner(state)}
<ul class="counts" aria-label="Results">${countWords(state).map(([kind, text]) => html`<li class="${kind}">${text}</li>`)}</ul>
<p class="faint">Lab ${state.lab} · run ${state.run ?? 'unknown'} · ${state.environments.length} environments · ${formatDuration(state.durationMs)}${state.openedAt === null ? nothing : html` · begun <time datetime="${state.openedAt}">${state.openedAt}</time>`}</p>
${labelList(state)}`,
    main: html`${findingOrder.map(kind => findingSection(kind, findings, { evidence, state, title: findingTitles[kind] }))}
<section aria-labelledby="environments"><h2 id="environments">Environments</h2>
${state.environments.map(environment => environmentSection(environment))}
</section>
${slowSection(state)}`,
    footer: html`<p>${state.harness ?? 'guestcert'} · plan ${state.planDigest}</p>`,
  })
}

function emulatedBanner({ environments }: RunState): Markup {
  const emulated = environments.filter(({ planned }) => planned.emulated).length
  return emulated === 0
    ? nothing
    : html`<p class="banner">${emulated} of ${environments.length} environments are EMULATED: they certify nothing.</p>`
}

function leftOutBanner(state: RunState): Markup {
  const words = leftOutWords(state)
  return words === null ? nothing : html`<p class="banner">${words}</p>`
}

function labelList({ labels }: RunState): Markup {
  const all = Object.entries(labels)
  return all.length === 0
    ? nothing
    : html`<p class="faint">Labels: ${all.map(([name, value]) => `${name}=${value}`).join(', ')}</p>`
}

function slowSection(state: RunState): Markup {
  const slow = slowestOf(state, mostSlow)
  if (slow.length === 0) return nothing
  const rows = slow.map(
    ({ planned, environment, decisive }) =>
      html`<tr><td class="number">${formatDuration(decisive?.durationMs ?? 0)}</td><td>${planned.id}</td><td>${environment}</td></tr>`,
  )
  return html`<section aria-labelledby="slowest"><h2 id="slowest">Slowest</h2>
<div class="scroll"><table><caption>The tests that took longest</caption>
<thead><tr><th scope="col" class="number">time</th><th scope="col">test</th><th scope="col">environment</th></tr></thead>
<tbody>${rows}</tbody></table></div></section>`
}
