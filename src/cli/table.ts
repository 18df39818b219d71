import stringWidth from 'string-width'

/** Headings, and a cell for each of them in every row. */
export interface Table {
  readonly headings: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Rows below headings; the last column is as long as it is. */
export function table({ headings, rows }: Table, bold: (text: string) => string): string {
  const widths = headings.map((heading, column) =>
    Math.max(...[heading, ...rows.map(row => row[column] ?? '')].map(cell => stringWidth(cell))),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === cells.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - stringWidth(cell)),
      )
      .join('  ')
      .trimEnd()
  const body = rows.map(row => `${line(row)}\n`).join('')
  return `${bold(line(headings))}\n${body}`
}
