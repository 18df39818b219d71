/** A secret of fewer characters is found in much that has nothing to do with it. */
const shortest = 6
/** One that is all letters or all digits may be a word or a number that a log has anyway. */
const shortestOfOneKind = 16

/**
 * Why a secret cannot be kept out of reports without telling it; `null` for one that can. Where `root` is replaced
 * wherever it stands, `[secret]@host` says what the password is. `names` are the words of a lab: users, hosts, guests.
 */
export function weakness(secret: string, names: Iterable<string>): string | null {
  const { length } = [...secret]
  if (length < shortest) return `it has fewer than ${shortest} characters`
  const lower = secret.toLowerCase()
  for (const name of names) {
    if (name !== '' && name.toLowerCase() === lower) return 'it is a name that the lab uses'
  }
  if (length < shortestOfOneKind && /^(?:\p{L}+|\p{Nd}+)$/u.test(secret)) {
    return `it is all letters or all digits, with fewer than ${shortestOfOneKind} characters`
  }
  return null
}
