import stringWidth from 'string-width'
import { wrap } from './layout.js'

/** Headings, and a cell for each of them in every row; a text alone stands above the rows that it is about. */
export interface Table {
  readonly headings: readonly string[]
  readonly rows: readonly (readonly string[] | string)[]
}

const gap = 2
const narrowest = 8
/** A column that is cut to less than this is not read as one. */
const leastReadable = 16

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

/**
 * Rows below headings. Where they are wider than `width`, the widest columns are narrowed and their cells wrapped; where
 * that leaves too little to read, each row is a block of its own.
 */
export function table({ headings, rows }: Table, bold: (text: string) => string, width?: number): string {
  const wanted = headings.map((heading, column) =>
    Math.max(...[heading, ...cellsOf(rows).map(row => row[column] ?? '')].map(cell => stringWidth(cell))),
  )
  const widths = fitted(wanted, width ?? Number.POSITIVE_INFINITY)
  const isReadable = widths.every((own, column) => own >= Math.min(wanted[column] ?? 0, leastReadable))
  if (width !== undefined && !isReadable) return blocks({ headings, rows }, bold, Math.max(width, narrowest))
  const lines = (cells: readonly string[]): readonly string[] => {
    const wrappedCells = cells.map((cell, column) => wrapped(cell, widths[column] ?? 0))
    const height = Math.max(1, ...wrappedCells.map(({ length }) => length))
    return Array.from({ length: height }, (_, index) =>
      wrappedCells
        .map((cell, column) => {
          const text = cell[index] ?? ''
          return text + ' '.repeat(Math.max(0, (widths[column] ?? 0) - stringWidth(text)))
        })
        .join(' '.repeat(gap))
        .trimEnd(),
    )
  }
  const above = (text: string): readonly string[] =>
    wrapped(text, width ?? Number.POSITIVE_INFINITY).map(bold)
  const body = rows
    .flatMap(row => (typeof row === 'string' ? above(row) : lines(row)))
    .map(line => `${line}\n`)
  return `${lines(headings).map(bold).join('\n')}\n${body.join('')}`
}

/** Each row as its first cell, with the others and their headings below it. */
function blocks({ headings, rows }: Table, bold: (text: string) => string, width: number): string {
  const indent = '  '
  return rows
    .map(row => {
      if (typeof row === 'string') return lines(wrapped(row, width).map(bold))
      const [first = '', ...others] = row
      const parts = others.flatMap((cell, index) => {
        const heading = (headings[index + 1] ?? '').toLowerCase()
        return cell === '' || cell === '-' ? [] : [heading === '' ? cell : `${heading} ${cell}`]
      })
      const head = first === '' ? [] : wrapped(first, width).map(bold)
      const body = wrapped(parts.join(', '), Math.max(narrowest, width - indent.length))
      return lines([...head, ...body.filter(line => line !== '').map(line => indent + line)])
    })
    .join('')
}

function cellsOf(rows: Table['rows']): readonly (readonly string[])[] {
  return rows.filter(row => typeof row !== 'string')
}

function lines(texts: readonly string[]): string {
  return texts.map(text => `${text}\n`).join('')
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

/** A text in lines of at most so many columns, at blanks, else behind a sign. */
export function wrapped(cell: string, width: number): readonly string[] {
  if (stringWidth(cell) <= width) return [cell]
  const margin = /^ */.exec(cell)?.[0] ?? ''
  const room = Math.max(1, width - margin.length)
  return wrap(cell.slice(margin.length), room)
    .flatMap(line => pieces(line, room))
    .map(line => margin + line)
}

/** A word that is longer than its column is broken, behind a sign where there is one. */
function pieces(line: string, width: number): readonly string[] {
  // A styled cell is one short word.
  if (line.includes('\x1b')) return [line]
  const found: string[] = []
  let piece = ''
  for (const character of line) {
    if (piece !== '' && stringWidth(piece) + stringWidth(character) > width) {
      const sign = /^.*[-/@_,:](?=.)/u.exec(piece)?.[0] ?? ''
      const end = stringWidth(sign) * 2 > width ? sign : piece
      found.push(end)
      piece = piece.slice(end.length)
    }
    piece += character
  }
  return [...found, piece]
}
