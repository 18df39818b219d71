import type { Check } from '../hypervisors/driver.js'

/** A host, or a guest on one of its hosts, and what is looked at on it. */
export interface Subject {
  readonly host: string
  /** Absent for the host itself. */
  readonly guest?: { readonly id: string; readonly configuration: string }
  /** True where an emulator answers: what is found there says nothing of a real machine. */
  readonly emulated: boolean
  readonly checks: readonly Check[]
  /** Why there is little to look at, if so. */
  readonly note?: string
}

/** What one check came to. */
export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'missing' | 'not-checked'
  readonly asked: string
  readonly seen: string
  readonly durationMs: number
}

/** A subject and what was found. */
export interface Examined extends Omit<Subject, 'checks'> {
  readonly findings: readonly Finding[]
}

/** All that a doctor says of a lab. */
export interface Report {
  readonly lab: string
  /** True when every check was carried out and is ok. */
  readonly ok: boolean
  readonly counts: Readonly<Record<Finding['state'], number>>
  readonly subjects: readonly Examined[]
}

/** Sums up. A lab with nothing to look at is not well: nobody has looked. */
export function reportOf(lab: string, subjects: readonly Examined[]): Report {
  const all = subjects.flatMap(({ findings }) => findings)
  const count = (state: Finding['state']): number => all.filter(finding => finding.state === state).length
  const counts = { ok: count('ok'), missing: count('missing'), 'not-checked': count('not-checked') }
  return { lab, ok: counts.ok > 0 && counts.ok === all.length, counts, subjects }
}
