import type { CheckState } from '../journal/events.js'
import type { Document, Point } from './document.js'
import type { Check, Counts } from './folded.js'

/**
 * Flattens a document into its checks, in order. A point with subtests is the sum of them and no check of its
 * own, unless it failed and none of them did. What stands under a TODO or SKIP point never counts as held.
 */
export function toChecks(document: Document): Check[] {
  const checks: Check[] = []
  for (const point of document.points) collect(point, [], null, checks)
  return checks
}

/** Counts checks by how they ended. */
export function countChecks(checks: readonly Check[]): Counts {
  const counts = { ok: 0, notOk: 0, todo: 0, skip: 0 }
  for (const { state } of checks) counts[state === 'not-ok' ? 'notOk' : state]++
  return counts
}

function collect(point: Point, path: readonly string[], above: Point['directive'], checks: Check[]): void {
  const directive = above ?? point.directive
  const before = checks.length
  if (point.subtests) {
    for (const child of point.subtests.points) collect(child, [...path, point.text], directive, checks)
  }
  const children = checks.slice(before)
  const state = stateOf(point, above)
  if (children.length > 0 && (state !== 'not-ok' || children.some(child => child.state === 'not-ok'))) return
  const text = point.reason === '' ? point.text : `${point.text} (${point.reason})`.trim()
  checks.push({
    state: emptyParent(point, state),
    text,
    path,
    ...(point.diagnostics === '' ? {} : { diagnostics: point.diagnostics }),
  })
}

/** A TODO above forgives what fails below; a SKIP above does not: what was skipped cannot fail. */
function stateOf(point: Point, above: Point['directive']): CheckState {
  if (above === 'todo' || point.directive === 'todo') return 'todo'
  if (point.directive === 'skip') return 'skip'
  if (!point.ok) return 'not-ok'
  return above === 'skip' ? 'skip' : 'ok'
}

/** A parent whose subtests are none has executed nothing. */
function emptyParent(point: Point, state: CheckState): CheckState {
  return point.subtests && state === 'ok' ? 'skip' : state
}
