import { createHash } from 'node:crypto'
import type { PlannedEnvironment } from './types.js'

/**
 * SHA-256 over what makes two runs comparable: pairings and tests. Where hosts and guests are
 * reached, which host serves, what it shares, and where files stand is left out.
 */
export function digestPlan(environments: readonly PlannedEnvironment[]): string {
  const comparable = environments.map(({ hosts: _hosts, leftOut, tests, ...environment }) => ({
    ...environment,
    tests: tests.map(({ manifest: _manifest, line: _line, locks: _locks, ...test }) => test),
    leftOut: leftOut.map(({ test, kind }) => (kind === undefined ? test : { test, kind })),
  }))
  return createHash('sha256').update(canonical(comparable)).digest('hex')
}

/** JSON with sorted keys, so that the same value has the same text. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  )
}
