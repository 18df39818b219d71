import { createHash } from 'node:crypto'
import type { Cause } from '../../config/errors.js'
import type { AttemptState } from '../../journal/state.js'
import type { PlannedEnvironment } from '../../plan/types.js'
import { cleanXmlLine } from '../clean.js'

const longestName = 200
const hexOf128Bits = 32

/** `ENVIRONMENT/SUITE`, with the number of its part after the first, and marked when emulated: unique in a run. */
export function suiteName(environment: PlannedEnvironment, suite: string, part = 1): string {
  const mark = `${part === 1 ? '' : ` (${part})`}${environment.emulated ? ' (EMULATED)' : ''}`
  return `${cut(cleanXmlLine(`${environment.id}/${suite}`, Number.MAX_SAFE_INTEGER), longestName - mark.length)}${mark}`
}

/**
 * `ENVIRONMENT.SUITE`: readers split it at the last dot, so no other dot or blank is left in it. Different
 * environments and suites give different names.
 */
export function className(environment: string, suite: string): string {
  return `${segment(environment)}.${segment(suite)}`
}

/** The test's identity inside its suite: never a title, which may change. */
export function caseName(test: string, suite: string): string {
  const name = test.startsWith(`${suite}/`) ? test.slice(suite.length + 1) : test
  return cut(cleanXmlLine(name, Number.MAX_SAFE_INTEGER), longestName)
}

/** A stable identity for readers that follow cases and suites over runs. */
export function stableId(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, hexOf128Bits)
}

const errorTypes: Record<Cause, string> = {
  guest: 'Error.Guest',
  host: 'Infra.Host',
  network: 'Infra.Network',
  runner: 'Infra.Runner',
  test: 'Error.Test',
  unknown: 'Error.Unknown',
}

/** The `type` of a failure or error: with a dot or a capital, for readers that treat bare words as theirs. */
export function outcomeType(attempt: Pick<AttemptState, 'verdict' | 'cause' | 'counts'>): string {
  if (attempt.verdict === 'fail') return attempt.counts.notOk > 0 ? 'AssertionFailed' : 'GuestFailed'
  if (attempt.verdict === 'blocked') return 'Blocked'
  if (attempt.verdict === 'not-run') return 'NotRun'
  return errorTypes[attempt.cause ?? 'unknown']
}

/** Seconds with three decimals, never negative and never with an exponent. */
export function seconds(ms: number): string {
  return Number.isFinite(ms) && ms > 0 ? (ms / 1000).toFixed(3) : '0.000'
}

/** A dot as `_` and `_` as `__`. What cannot be told back from that ends in a hash of the whole. */
function segment(text: string): string {
  const clean = cleanXmlLine(text, Number.MAX_SAFE_INTEGER)
  const name = clean.replace(/[._]/g, found => (found === '.' ? '_' : '__')).replace(/\s/g, '_')
  const isFaithful = clean === text && text !== '' && !/\s|~|[._]{2}/.test(text)
  return isFaithful ? cut(name, longestName) : marked(name, text)
}

/** Names that are too long end in a hash of the whole, so that they stay different. */
function cut(name: string, most: number): string {
  return name.length <= most ? name : marked(name, name, most)
}

function marked(name: string, whole: string, most = longestName): string {
  const hash = stableId(whole).slice(0, 8)
  return `${name.slice(0, most - hash.length - 1).replace(/\p{Cs}$/u, '')}~${hash}`
}
