import stringWidth from 'string-width'

/** Breaks a text into lines of at most so many columns, at blanks. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && stringWidth(line) + 1 + stringWidth(word) > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

/** A name and what is said about it. */
export type Entry = readonly [name: string, text: string]

const indent = 2
const gap = 3
const narrowestText = 24

/** Entries as two columns: names below each other, at least so wide, and texts wrapped beside them. */
export function columns(entries: readonly Entry[], width: number, nameWidth = 0): string {
  const start = indent + Math.max(nameWidth, widest(entries)) + gap
  // Where the names leave no room, each text stands below its name.
  const beside = width - start >= narrowestText
  const lines = entries.flatMap(([name, text]) => {
    const [first = '', ...rest] = wrap(text, beside ? width - start : width - indent - 4)
    const margin = ' '.repeat(beside ? start : indent + 4)
    const head = ' '.repeat(indent) + name
    return beside
      ? [
          (head.padEnd(start + head.length - stringWidth(head)) + first).trimEnd(),
          ...rest.map(line => margin + line),
        ]
      : [head, ...[first, ...rest].map(line => margin + line)]
  })
  return lines.map(line => `${line}\n`).join('')
}

/** The width of the widest name. */
export function widest(entries: readonly Entry[]): number {
  return Math.max(0, ...entries.map(([name]) => stringWidth(name)))
}
