import { parseMomentMs } from '../config/moment.js'
import { inRange, parseRange, parseVersion } from '../config/version.js'
import type { Verdict } from '../journal/events.js'
import type { Waiver } from './schema.js'

/** A product and version, of a guest or a hypervisor. */
interface Product {
  readonly product: string
  readonly version: string
}

/** One result that a waiver may be for. */
export interface WaivableResult {
  readonly test: string
  readonly verdict: Verdict
  readonly guest: Product
  readonly hypervisor: Product
}

/** What a list of waivers comes to on a list of results. The original verdict is never touched. */
export interface AppliedWaivers {
  /** By the index of the result: the waiver that forgives it. Only a `fail` is forgiven. */
  readonly waived: ReadonlyMap<number, Waiver>
  /** What people must know: waivers that have expired, and those that were of no use. */
  readonly reports: readonly WaiverReport[]
}

/** Something that is wrong with a waiver. */
export interface WaiverReport {
  readonly waiver: string
  readonly kind: 'expired' | 'unused' | 'passed'
  readonly text: string
}

/** Which results a list of waivers forgives at a time. */
export function applyWaivers(
  results: readonly WaivableResult[],
  waivers: readonly Waiver[],
  nowMs: number,
): AppliedWaivers {
  const waived = new Map<number, Waiver>()
  const reports: WaiverReport[] = []
  for (const waiver of waivers) {
    const fitting = results.flatMap((result, index) => (fits(waiver, result) ? [{ result, index }] : []))
    const failed = fitting.filter(({ result }) => result.verdict === 'fail')
    if (isExpired(waiver, nowMs)) {
      const text = `the waiver ${waiver.id} expired on ${waiver.expires}: ${waiver.link}`
      if (failed.length > 0) reports.push({ waiver: waiver.id, kind: 'expired', text })
      continue
    }
    for (const { index } of failed) if (!waived.has(index)) waived.set(index, waiver)
    if (fitting.length === 0) {
      const text = `the waiver ${waiver.id} is for nothing that was tested`
      reports.push({ waiver: waiver.id, kind: 'unused', text })
    } else if (fitting.every(({ result }) => result.verdict === 'pass')) {
      const text = `the waiver ${waiver.id} is not needed: ${waiver.test} passed`
      reports.push({ waiver: waiver.id, kind: 'passed', text })
    }
  }
  return { waived, reports }
}

/** Whether a waiver has run out. */
export function isExpired({ expires }: Pick<Waiver, 'expires'>, nowMs: number): boolean {
  const endMs = parseMomentMs(expires)
  return endMs === null || nowMs >= endMs
}

function fits(waiver: Waiver, { test, guest, hypervisor }: WaivableResult): boolean {
  return (
    waiver.test === test &&
    isOf(waiver.guest, guest) &&
    (waiver.hypervisor === undefined || isOf(waiver.hypervisor, hypervisor))
  )
}

function isOf(
  { product, version }: { readonly product: string; readonly version?: string | undefined },
  found: Product,
): boolean {
  if (product !== found.product) return false
  if (version === undefined) return true
  const [range, seen] = [parseRange(version), parseVersion(found.version)]
  return range !== null && seen !== null && inRange(seen, range)
}
