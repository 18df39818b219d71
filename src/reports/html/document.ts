import { html, type Markup } from './markup.js'
import { styleSheet } from './style.js'

/** What a page consists of. */
export interface DocumentParts {
  readonly title: string
  /** Where its first link leads past the header, in words: "Skip to the results". */
  readonly skip: string
  readonly header: Markup
  readonly main: Markup
  readonly footer?: Markup
}

/** A page of its own: no script, and nothing from elsewhere. */
export function htmlDocument({ title, skip, header, main, footer }: DocumentParts): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${{ markup: styleSheet }}</style>
</head>
<body>
<a class="skip-link" href="#main">${skip}</a>
<header>
${header}
</header>
<main id="main">
${main}
</main>
${footer === undefined ? html`` : html`<footer class="faint">${footer}</footer>`}
</body>
</html>
`.markup
}
