/**
 * Control sequences as ECMA-48 writes them: CSI, then strings (DCS, SOS, OSC, PM, APC) up to their
 * terminator, then what is left of escapes. An unended string loses its introducer only.
 */
const controlSequences = new RegExp(
  [
    '(?:\\x1b\\[|\\x9b)[0-?]*[ -/]*[@-~]',
    '(?:\\x1b[PX\\]^_]|[\\x90\\x98\\x9d-\\x9f])[^\\x07\\x1b\\x9c]*(?:\\x07|\\x1b\\\\|\\x9c)',
    '\\x1b[ -/]*[0-~]',
  ].join('|'),
  'g',
)

/** Lines as `\n`; colours and other control sequences are left out. */
export function plainText(text: string): string {
  return text.replace(controlSequences, '').replace(/\r\n?/g, '\n')
}

/** What a terminal would act upon, tabs and line feeds aside, and the marks that turn the direction of text around. */
export const badInTerminal =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu

/** What is shown in the place of a character that is not. */
export const replacement = '\ufffd'
