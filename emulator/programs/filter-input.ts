import type { Bytes } from '../files/bytes.js'

/** How a filter's arguments say whether it reads standard input. */
interface Reading {
  /** Operands before the files: the pattern of grep, the script of sed. */
  readonly before?: number
  /** Options whose presence takes the place of those operands. */
  readonly replaces?: RegExp
  /** Letters of options that take a value. */
  readonly withValue?: string
}

const readers: Readonly<Record<string, Reading>> = {
  awk: { before: 1, replaces: /^-f/, withValue: 'Ffv' },
  base64: { withValue: 'w' },
  column: { withValue: 'cs' },
  comm: {},
  cut: { withValue: 'bcdf' },
  diff: {},
  egrep: { before: 1, replaces: /^-\w*[ef]/, withValue: 'efmABC' },
  expand: { withValue: 't' },
  fgrep: { before: 1, replaces: /^-\w*[ef]/, withValue: 'efmABC' },
  fold: { withValue: 'w' },
  grep: { before: 1, replaces: /^-\w*[ef]/, withValue: 'efmABC' },
  gunzip: {},
  gzip: {},
  join: { withValue: '12tovae' },
  nl: { withValue: 'bdfhinsvw' },
  paste: { withValue: 'd' },
  rev: {},
  sed: { before: 1, replaces: /^-\w*[ef]/, withValue: 'efl' },
  sort: { withValue: 'kotST' },
  split: { withValue: 'abln' },
  strings: { withValue: 'nt' },
  tac: {},
  unexpand: { withValue: 't' },
  uniq: { withValue: 'fsw' },
  wc: {},
  zcat: {},
}

/** Whether this call of a filter reads its standard input: then it is read to its end beforehand. */
export function readsInput(name: string, args: readonly Bytes[]): boolean {
  const reading = readers[name]
  if (!reading) return false
  let before = reading.before ?? 0
  const operands: Bytes[] = []
  let options = true
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ''
    if (!options || arg === '-' || !arg.startsWith('-')) {
      operands.push(arg)
      continue
    }
    if (arg === '--') {
      options = false
      continue
    }
    if (reading.replaces?.test(arg) || /^--(?:regexp|expression|file)\b/.test(arg)) before = 0
    if (/^-[^-]/.test(arg) && reading.withValue?.includes(arg.at(-1) ?? '')) at++
  }
  if (/grep$/.test(name) && args.some(arg => /^-\w*[rR]/.test(arg))) return false
  const files = operands.slice(before)
  return files.length === 0 || files.includes('-')
}
