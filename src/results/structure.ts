import type { Document, Point } from './document.js'

/** What a document must have: see `Dialect` in `fold.ts`. */
interface Needs {
  readonly subtestsNeedPlan: boolean
}

/** The first thing that keeps a document, or a subtest in it, from being believed; `null` when it is sound. */
export function describeFault(document: Document, needs: Needs): string | null {
  return faultAt(document, needs, true)
}

function faultAt(document: Document, needs: Needs, outermost: boolean): string | null {
  const [fault] = document.faults
  if (fault !== undefined) return fault
  return numbering(document.points) ?? planning(document, needs, outermost) ?? nested(document.points, needs)
}

function planning({ plan, points }: Document, needs: Needs, outermost: boolean): string | null {
  if (plan === null) {
    if (points.length === 0 && outermost) return 'no checks were printed'
    return outermost || needs.subtestsNeedPlan ? 'there is no plan line' : null
  }
  if (plan.start !== 1) return `the plan starts at ${plan.start}`
  if (plan.end === points.length) return null
  return `${plan.end} checks were planned, ${points.length} were printed`
}

/** Points are numbered in order, or not at all: a stray `ok` among numbered points is none of them. */
function numbering(points: readonly Point[]): string | null {
  const numbers = points.map(point => point.number)
  if (numbers.every(number => number === null)) return null
  if (numbers.includes(null)) return 'some checks are numbered, others are not'
  const at = numbers.findIndex((number, index) => number !== index + 1)
  return at === -1 ? null : `check ${numbers[at]} stands where ${at + 1} was expected`
}

function nested(points: readonly Point[], needs: Needs): string | null {
  for (const point of points) {
    const fault = point.subtests && faultAt(point.subtests, needs, false)
    if (fault) return `in the subtest ${JSON.stringify(point.text)}: ${fault}`
  }
  return null
}
