import { badInTerminal, plainText, replacement } from '../text/controls.js'

/** What no XML 1.0 document may hold, and what strict readers refuse beside that. */
const badInXml =
  /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff]|\p{Cs}|[\u{1fffe}\u{1ffff}\u{2fffe}\u{2ffff}\u{3fffe}\u{3ffff}\u{4fffe}\u{4ffff}\u{5fffe}\u{5ffff}\u{6fffe}\u{6ffff}\u{7fffe}\u{7ffff}\u{8fffe}\u{8ffff}\u{9fffe}\u{9ffff}\u{afffe}\u{affff}\u{bfffe}\u{bffff}\u{cfffe}\u{cffff}\u{dfffe}\u{dffff}\u{efffe}\u{effff}\u{ffffe}\u{fffff}\u{10fffe}\u{10ffff}]/gu

/** Text of a guest as the content of an XML element. */
export function cleanXml(text: string): string {
  return withoutAttachments(plainText(text).replace(badInXml, replacement))
}

/** Jenkins attaches the files of its own machine that `[[ATTACHMENT|PATH]]` names. */
function withoutAttachments(text: string): string {
  return text.replace(/\[(?=\[ATTACHMENT)/gi, '[ ')
}

/** Text of a guest as the value of an XML attribute: one line of at most so many characters. */
export function cleanXmlLine(text: string, most: number): string {
  return oneLine(withoutAttachments(plainText(text).replace(badInXml, replacement)), most)
}

/** Text of a guest for a terminal; lines are kept. */
export function cleanTerminal(text: string): string {
  return plainText(text).replaceAll('\t', '  ').replace(badInTerminal, replacement)
}

/** Text of a guest for a terminal, as one line of at most so many characters. */
export function cleanTerminalLine(text: string, most = 1000): string {
  return oneLine(plainText(text), most).replace(badInTerminal, replacement)
}

function oneLine(text: string, most: number): string {
  const line = text.replace(/[\s\x85]+/g, ' ').trim()
  if (line.length <= most) return line
  // A character outside the basic plane is not cut in two.
  return `${line.slice(0, most - 1).replace(/\p{Cs}$/u, '')}…`
}

/** The end of a text, at most so many bytes of UTF-8, and how many bytes before it were cut. */
export interface Tail {
  readonly text: string
  readonly cutBytes: number
}

/** Keeps the end of a text, from a line's beginning where there is one. */
export function tailOf(text: string, mostBytes: number): Tail {
  const bytes = Buffer.from(text)
  if (bytes.length <= mostBytes) return { text, cutBytes: 0 }
  let from = bytes.length - mostBytes
  const nextLine = bytes.indexOf('\n', from)
  if (nextLine >= 0 && nextLine < bytes.length - 1) from = nextLine + 1
  // UTF-8's continuation bytes belong to the character before them.
  while (((bytes[from] ?? 0) & 0xc0) === 0x80) from += 1
  return { text: bytes.subarray(from).toString(), cutBytes: from }
}
