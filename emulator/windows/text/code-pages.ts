/** The upper halves of the code pages that the personas use. */
const upperHalves: Readonly<Record<number, string>> = {
  437:
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀' +
    'αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
  850:
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀' +
    'ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0',
  1252:
    '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ' +
    Array.from({ length: 96 }, (_, index) => String.fromCharCode(0xa0 + index)).join(''),
}

/** What WideCharToMultiByte puts for characters that a code page lacks, where it knows something like them. */
const bestFits: Readonly<Record<string, string>> = {
  '®': 'r',
  '™': 'T',
  '©': 'c',
  '’': "'",
  '‘': "'",
  '“': '"',
  '”': '"',
  '–': '-',
  '—': '-',
}

/** Code pages that a console of the emulated guest can be set to. */
export function isCodePage(page: number): boolean {
  return page === 65001 || page in upperHalves
}

/** Text as bytes of a code page; what it lacks becomes something like it or `?`, as WideCharToMultiByte does. 1200 is UTF-16 LE. */
export function encode(text: string, page: number): Buffer {
  if (page === 65001) return Buffer.from(text, 'utf8')
  if (page === 1200) return Buffer.from(text, 'utf16le')
  const upper = upperHalves[page] ?? ''
  const bytes: number[] = []
  for (const character of text) {
    const code = character.codePointAt(0) ?? 63
    const index = code < 128 ? -1 : upper.indexOf(character)
    bytes.push(code < 128 ? code : index >= 0 ? 128 + index : (bestFits[character] ?? '?').charCodeAt(0))
  }
  return Buffer.from(bytes)
}

/** Bytes of a code page as text. */
export function decode(bytes: Buffer, page: number): string {
  if (page === 65001) return bytes.toString('utf8')
  if (page === 1200) return bytes.toString('utf16le')
  const upper = upperHalves[page] ?? ''
  let text = ''
  for (const byte of bytes) text += byte < 128 ? String.fromCharCode(byte) : (upper[byte - 128] ?? '?')
  return text
}

/** A file's bytes as `type` and `Get-Content` read them: UTF-16 or UTF-8 by their mark, else the given page. */
export function decodeMarked(bytes: Buffer, page: number): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString('utf16le')
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes.subarray(3).toString('utf8')
  return decode(bytes, page)
}
