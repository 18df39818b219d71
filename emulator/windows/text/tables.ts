/** Texts of error numbers that several programs print. */
export const queryTexts = { invalidQuery: 'Invalid query' } as const

/** Columns as `tasklist`, `driverquery` and `openfiles` set them: a line of `=` under each head. */
export function ruledTable(
  columns: readonly (readonly [head: string, width: number, right?: boolean])[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string =>
    columns
      .map(([, width, right], index) => {
        const cell = (cells[index] ?? '').slice(0, width)
        return right ? cell.padStart(width) : cell.padEnd(width)
      })
      .join(' ')
  const rule = columns.map(([, width]) => '='.repeat(width)).join(' ')
  const heads = line(columns.map(([head]) => head))
  return `\r\n${heads}\r\n${rule}\r\n${rows.map(row => `${line(row)}\r\n`).join('')}`
}

/** A line of comma-separated values, each in quotes. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell => `"${cell.replaceAll('"', '""')}"`).join(',')}\r\n`
}

/** Digits in groups of three. */
export function grouped(value: number | bigint): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}
