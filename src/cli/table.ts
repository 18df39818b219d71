import stringWidth from 'string-width'
import { wrap } from './layout.js'

/** Headings, and a cell for each of them in every row. */
export interface Table {
  readonly headings: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const gap = 2
const narrowest = 8

/** The width that a table on a stream has to keep to; `undefined` where nobody sees lines break. */
export function tableWidth({
  isTTY,
  columns,
}: {
  readonly isTTY?: boolean
  readonly columns?: number | undefined
}): number | undefined {
  return isTTY === true ? columns : undefined
}

/** Rows below headings. Where they are wider than `width`, the widest columns are narrowed and their cells wrapped. */
export function table({ headings, rows }: Table, bold: (text: string) => string, width?: number): string {
  const widths = fitted(
    headings.map((heading, column) =>
      Math.max(...[heading, ...rows.map(row => row[column] ?? '')].map(cell => stringWidth(cell))),
    ),
    width ?? Number.POSITIVE_INFINITY,
  )
  const lines = (cells: readonly string[]): readonly string[] => {
    const wrapped = cells.map((cell, column) => wrappedCell(cell, widths[column] ?? 0))
    const height = Math.max(1, ...wrapped.map(({ length }) => length))
    return Array.from({ length: height }, (_, index) =>
      wrapped
        .map((cell, column) => {
          const text = cell[index] ?? ''
          return text + ' '.repeat(Math.max(0, (widths[column] ?? 0) - stringWidth(text)))
        })
        .join(' '.repeat(gap))
        .trimEnd(),
    )
  }
  const body = rows.flatMap(lines).map(line => `${line}\n`)
  return `${lines(headings).map(bold).join('\n')}\n${body.join('')}`
}

/** Widths that come to no more than `most`, as far as no column becomes too narrow to read. */
function fitted(wanted: readonly number[], most: number): readonly number[] {
  const widths = [...wanted]
  let excess = widths.reduce((sum, own) => sum + own, gap * (widths.length - 1)) - most
  while (excess > 0) {
    const widest = Math.max(...widths)
    if (widest <= narrowest) break
    widths[widths.indexOf(widest)] = widest - 1
    excess -= 1
  }
  return widths
}

function wrappedCell(cell: string, width: number): readonly string[] {
  // A styled cell is one short word.
  if (stringWidth(cell) <= width || cell.includes('\x1b')) return [cell]
  return wrap(cell, width).flatMap(line => pieces(line, width))
}

/** A word that is longer than its column is broken. */
function pieces(line: string, width: number): readonly string[] {
  const found: string[] = []
  let piece = ''
  for (const character of line) {
    if (piece !== '' && stringWidth(piece) + stringWidth(character) > width) {
      found.push(piece)
      piece = ''
    }
    piece += character
  }
  return [...found, piece]
}
