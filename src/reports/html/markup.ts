import { cleanXml } from '../clean.js'

/** A piece of HTML: text becomes one only through {@link html} or {@link text}. */
export interface Markup {
  readonly markup: string
}

type Part = Markup | string | number | readonly Markup[]

/** HTML with values in it; every text among them is escaped. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  const parts = strings.map(
    (piece, index) => `${piece}${index < values.length ? render(values[index] ?? '') : ''}`,
  )
  return { markup: parts.join('') }
}

/** Text of anybody, for content and for attributes in double quotes. */
export function text(from: string): Markup {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return { markup: cleanXml(from).replace(/[&<>"']/g, character => entities[character] ?? character) }
}

/** Nothing. */
export const nothing: Markup = { markup: '' }

function render(part: Part): string {
  if (typeof part === 'string' || typeof part === 'number') return text(String(part)).markup
  return 'markup' in part ? part.markup : part.map(({ markup }) => markup).join('')
}
