import { cleanClixml } from './clixml.js'
import { knownCodePages, oemCodePages } from './code-pages.js'

const asciiEnd = 0x80
/** Enough to tell UTF-16 from an OEM text by its zeros. */
const sampleBytes = 512

/**
 * Output of a Windows program as text, with line ends `\n`, without byte order marks, CLIXML and progress records. A
 * program chooses its encoding: UTF-16 and UTF-8 are known by their marks, UTF-16 also by its zeros, UTF-8 by being
 * well-formed where anything is beyond ASCII; all else is in the guest's code page.
 */
export function decodeOutput(bytes: Buffer, codePage: number): string {
  return cleanClixml(decodeBytes(bytes, codePage)).replace(/\r+\n/g, '\n')
}

function decodeBytes(bytes: Buffer, codePage: number): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) {
    return bytes.subarray(2).toString('utf16le').replaceAll('\ufeff', '')
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return bytes.subarray(3).toString('utf8')
  }
  if (looksUtf16(bytes)) {
    return bytes.toString('utf16le')
  }
  if (bytes.every(byte => byte < asciiEnd)) {
    return bytes.toString('latin1')
  }
  const utf8 = codePage === 65001 ? bytes.toString('utf8') : wellFormedUtf8(bytes)
  return utf8 ?? inCodePage(bytes, codePage)
}

/** Every second byte of a text in Western letters is zero. No OEM text holds a zero. */
function looksUtf16(bytes: Buffer): boolean {
  const sample = bytes.subarray(0, sampleBytes)
  const zeros = sample.filter((byte, index) => byte === 0 && index % 2 === 1).length
  return bytes.length >= 2 && bytes.length % 2 === 0 && zeros * 4 > sample.length
}

function wellFormedUtf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

/** An unknown code page shows what is not ASCII as U+FFFD, which matches nothing. */
function inCodePage(bytes: Buffer, codePage: number): string {
  const known = knownCodePages[codePage]
  if (known !== undefined) {
    return new TextDecoder(known).decode(bytes)
  }
  const upper = oemCodePages[codePage] ?? ''
  return Array.from(bytes, byte =>
    byte < asciiEnd ? String.fromCharCode(byte) : (upper[byte - asciiEnd] ?? '\ufffd'),
  ).join('')
}
