import { UsageError } from '../../config/errors.js'
import type { Entry, Record } from './read.js'

const leastDigits = 6

/** The entry whose leaf hash begins so. @throws UsageError when it is none, or several. */
export function findEntry({ entries }: Pick<Record, 'entries'>, begin: string): Entry {
  const found = entries.filter(
    ({ leaf }) => begin.length >= leastDigits && leaf.startsWith(begin.toLowerCase()),
  )
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  throw new UsageError(
    found.length > 1
      ? `"${begin}" is ambiguous: ${found.length} entries begin so`
      : `unknown entry "${begin}": expected at least ${leastDigits} digits of a leaf hash (see "guestcert record show")`,
  )
}
