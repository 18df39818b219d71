import { createHash } from 'node:crypto'

/** The PowerShell texts that the emulator knows: those that guestcert sends. */
export type TextName = 'service' | 'host-service' | 'script' | 'reader' | 'login-probe' | 'login-line'

/** A text that was recognised, with the data that it was given. */
export interface KnownText {
  readonly name: TextName
  readonly data: string
}

/** By the first half of the SHA-256 of each: a text that was changed is another one. */
const names: Readonly<Record<string, TextName>> = {
  '7dac6bd4f43655612ef988f4f685bc4e': 'service',
  '4f27517f2b3c353da3f30d1ad10cef7a': 'host-service',
  '4a5abc4bcfb287b1aeaab25853953450': 'script',
  fa773f3090483a1717aa56f9db90951a: 'reader',
  d0ca080a2b9e288862391437ebdda970: 'login-probe',
  '1c2eefa3ff262a8ba8187b1d457d43db': 'login-line',
}

/** Data stand in a line, or in an assignment, before the text. */
const withData = /^\$gc(?:Given|Line)='((?:[^'\u2018-\u201b]|(['\u2018-\u201b])\2)*)'[\n;]/

/** Recognises a text by its digest; undefined for any other. */
export function recognise(text: string): KnownText | undefined {
  const [whole = '', literal = ''] = withData.exec(text) ?? []
  const name = names[digestOf(text.slice(whole.length))]
  // A quotation mark within quotes is written twice.
  return name === undefined ? undefined : { name, data: literal.replace(/(['\u2018-\u201b])\1/g, '$1') }
}

/** What identifies a text. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
