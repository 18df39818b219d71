import { isAtLeast } from '../../versions.js'

/** How a libvirt of some age says things. */
export interface Generation {
  readonly version: string
  /** Whether it is at least that version. */
  has(since: string | undefined): boolean
  /** A domain's name in a message: quoted from 7.0 on. */
  named(name: string): string
}

/** The generation of a version, such as `0.8.2`. */
export function generationOf(version: string): Generation {
  const has = (since: string | undefined): boolean => since === undefined || isAtLeast(version, since)
  const quotes = has('7.0.0')
  return { version, has, named: name => (quotes ? `'${name}'` : name) }
}

/** A table as virsh prints it: since 4.8 with columns as wide as needed, before with fixed ones. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map(row => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]): string =>
    ` ${cells.map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('   ')}\n`
  const total = widths.reduce((sum, width) => sum + width, 0) + 3 * headings.length - 1 + 1
  return `${line(headings)}${'-'.repeat(total)}\n${rows.map(line).join('')}`
}
