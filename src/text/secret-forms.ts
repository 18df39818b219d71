/** A secret as a guest may say it back. Texts are compared by character, bytes as Latin-1 of their UTF-8. */
export interface SecretForms {
  readonly texts: readonly string[]
  readonly bytes: readonly string[]
}

/** Shorter ones would be found in what has nothing to do with the secret. */
const shortestForm = 6

/** A secret itself, and as it is encoded and quoted in URLs, JSON, XML, shells, dumps and Base64. */
export function formsOf(secret: string): SecretForms {
  const utf8 = Buffer.from(secret, 'utf8')
  const utf16 = Buffer.from(secret, 'utf16le')
  const encoded = [...hexForms(utf8), ...base64Forms(utf8), ...base64Forms(utf16), ...urlForms(secret)]
  const quoted = [
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll("'", "'\\''"),
    secret.replaceAll('\\', '\\\\'),
    xmlOf(secret),
    xmlOf(secret).replaceAll('"', '&quot;').replaceAll("'", '&apos;'),
    xmlOf(secret).replaceAll('"', '&#34;').replaceAll("'", '&#39;'),
  ]
  const texts = longestFirst([secret, ...quoted, ...encoded.filter(form => form.length >= shortestForm)])
  return { texts, bytes: longestFirst(texts.map(text => Buffer.from(text, 'utf8').toString('latin1'))) }
}

/** Each once, the longest first: it may hold a shorter one. */
export function longestFirst(texts: readonly string[]): string[] {
  return [...new Set(texts)].filter(text => text !== '').sort((a, b) => b.length - a.length)
}

function hexForms(bytes: Buffer): string[] {
  const lower = [...bytes].map(byte => byte.toString(16).padStart(2, '0'))
  const upper = lower.map(pair => pair.toUpperCase())
  return [lower, upper].flatMap(pairs => [
    ...['', ' ', ':'].map(between => pairs.join(between)),
    ...['%', '\\x'].map(before => pairs.map(pair => `${before}${pair}`).join('')),
  ])
}

/**
 * Base64 has three forms of the same bytes, by how many bytes stand before them. Characters that depend on what
 * stands beside the secret are no part of a form.
 */
function base64Forms(bytes: Buffer): string[] {
  const forms = [0, 1, 2].map(before => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
  })
  return forms.flatMap(form => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}

function urlForms(secret: string): string[] {
  // Half of a surrogate pair has no form in a URL.
  const wellFormed = secret.replace(/\p{Cs}/gu, '\ufffd')
  const strict = encodeURIComponent(wellFormed).replace(
    /[!'()*]/g,
    found => `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  const usual = encodeURIComponent(wellFormed)
  return [strict, usual].flatMap(form => [
    form,
    form.replaceAll('%20', '+'),
    form.replace(/%[0-9A-F]{2}/g, found => found.toLowerCase()),
  ])
}

function xmlOf(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
