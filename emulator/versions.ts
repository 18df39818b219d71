/**
 * Whether a version of dotted numbers, such as `0.8.2`, is at least another one. What follows the numbers, as in
 * `5.14.0-570.el9`, does not count; a text without a number is older than any version.
 */
export function isAtLeast(version: string, least: string): boolean {
  const [own, bound] = [numbersOf(version), numbersOf(least)]
  if (own.length === 0) return false
  const at = bound.findIndex((number, index) => (own[index] ?? 0) !== number)
  return at === -1 || (own[at] ?? 0) > (bound[at] ?? 0)
}

function numbersOf(version: string): number[] {
  const [digits] = /^\d+(?:\.\d+)*/.exec(version.trim()) ?? ['']
  return digits === '' ? [] : digits.split('.').map(Number)
}
