/**
 * A product's version as vendors write it: dotted numbers, then a release (`R2`) and a service pack (`SP1`).
 * `11 SP4`, `2008 R2 SP1`, `5.11`, `15-SP5`.
 */
export interface ProductVersion {
  readonly numbers: readonly number[]
  readonly release: number
  readonly servicePack: number
}

const versionPattern = /^(\d+(?:\.\d+)*)(?:[\s-]*R(\d+))?(?:[\s-]*SP(\d+))?$/i
const comparatorPattern = /^(>=|<=|>|<|=)?\s*(.+)$/

/** Reads a version; `null` when it does not look like one. */
export function parseVersion(text: string): ProductVersion | null {
  const match = versionPattern.exec(text.trim())
  if (match === null) {
    return null
  }
  return {
    numbers: (match[1] ?? '').split('.').map(Number),
    release: Number(match[2] ?? 0),
    servicePack: Number(match[3] ?? 0),
  }
}

/** Negative when `a` is older than `b`, positive when newer, 0 when the same. */
export function compareVersions(a: ProductVersion, b: ProductVersion): number {
  const length = Math.max(a.numbers.length, b.numbers.length)
  for (let index = 0; index < length; index += 1) {
    const difference = (a.numbers[index] ?? 0) - (b.numbers[index] ?? 0)
    if (difference !== 0) {
      return difference
    }
  }
  return a.release - b.release || a.servicePack - b.servicePack
}

interface Comparator {
  readonly operator: string
  readonly version: ProductVersion
  readonly depth: number
}

/**
 * A range: comparators that must all hold, separated by commas (`>=5.4, <6`), or alternatives
 * separated by `||`. A bare version means that one and everything below it: `9` holds for `9.6`,
 * `2008` holds for `2008 SP2` and not for `2008 R2`.
 */
export interface VersionRange {
  readonly text: string
  readonly alternatives: readonly (readonly Comparator[])[]
}

/** Reads a range; `null` when a part of it is not a version. */
export function parseRange(text: string): VersionRange | null {
  const alternatives: Comparator[][] = []
  for (const alternative of text.split('||')) {
    const comparators: Comparator[] = []
    for (const part of alternative.split(',')) {
      const [, operator = '', versionText = ''] = comparatorPattern.exec(part.trim()) ?? []
      const version = parseVersion(versionText)
      if (version === null) {
        return null
      }
      comparators.push({ operator, version, depth: version.numbers.length })
    }
    alternatives.push(comparators)
  }
  return { text, alternatives }
}

/** Whether a version lies in a range. */
export function inRange(version: ProductVersion, range: VersionRange): boolean {
  return range.alternatives.some(comparators => comparators.every(comparator => holds(version, comparator)))
}

function holds(version: ProductVersion, { operator, version: bound, depth }: Comparator): boolean {
  const order = compareVersions(version, bound)
  switch (operator) {
    case '>=':
      return order >= 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '<':
      return order < 0
    case '=':
      return order === 0
    default:
      return isWithin(version, bound, depth)
  }
}

function isWithin(version: ProductVersion, bound: ProductVersion, depth: number): boolean {
  const samePrefix = bound.numbers.every((number, index) => (version.numbers[index] ?? 0) === number)
  const sameRelease = version.release === bound.release
  const samePack = bound.servicePack === 0 || version.servicePack === bound.servicePack
  return samePrefix && version.numbers.length >= depth && sameRelease && samePack
}
