import { badInTerminal, replacement } from './controls.js'

/** Colours, bold and dim, as our own styles write them (ECMA-48, SGR), and nothing that hides or moves text. */
const ownStyles = /(\x1b\[(?:0|1|2|22|3[0-7]|39|9[0-7])m)/

/**
 * Text that goes to a stream of this process: whatever it quotes, no control of it reaches a terminal. Each line has
 * been cleaned where it was made; this is for what was forgotten there. Styles are left where they are wanted.
 */
export function safeForTerminal(text: string, styles: boolean): string {
  const clean = (part: string): string => part.replace(/\r\n/g, '\n').replace(badInTerminal, replacement)
  if (!styles) return clean(text)
  return text
    .split(ownStyles)
    .map((part, index) => (index % 2 === 1 ? part : clean(part)))
    .join('')
}
