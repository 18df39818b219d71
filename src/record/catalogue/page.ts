import { htmlDocument } from '../../reports/html/document.js'
import { html, type Markup } from '../../reports/html/markup.js'

/** A page of the catalogue: no script, and nothing from elsewhere. */
export function page(title: string, main: Markup, home: string | null): string {
  const back =
    home === null ? html`` : html`<nav aria-label="Catalogue"><a href="${home}">All pairings</a></nav>`
  return htmlDocument({
    title,
    skip: 'Skip to the content',
    header: html`${back}<h1>${title}</h1>`,
    main,
  })
}

/** Columns and rows as a table that a screen reader can follow. */
export function tableOf(
  caption: string,
  headings: readonly string[],
  rows: readonly (readonly (string | Markup)[])[],
): Markup {
  const body = rows.map(
    ([first = '', ...rest]) =>
      html`<tr><th scope="row">${first}</th>${rest.map(cell => html`<td${isShort(cell) ? noBreak : html``}>${cell}</td>`)}</tr>\n`,
  )
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${headings.map(heading => html`<th scope="col" class="nowrap">${heading}</th>`)}</tr></thead>
<tbody>
${body}</tbody>
</table></div>`
}

const noBreak = html` class="nowrap"`
const shortest = 24

/** Dates, numbers and single words are not broken into lines. */
function isShort(cell: string | Markup): boolean {
  return typeof cell === 'string' && cell.length <= shortest && !cell.includes(' ')
}

/** A moment for people, to the minute. */
export function minuteOf(utc: string): Markup {
  return html`<time class="nowrap" datetime="${utc}">${utc.slice(0, 16).replace('T', ' ')} UTC</time>`
}

/** A state in words and in the colour of its kind. */
export function stateWord(state: string): Markup {
  const kinds: Readonly<Record<string, string>> = {
    certified: 'pass',
    'self-attested': 'flaky',
    expired: 'skip',
    historic: 'skip',
  }
  return html`<span class="verdict ${kinds[state] ?? 'fail'}">${state}</span>`
}
