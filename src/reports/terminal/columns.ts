import stringWidth from 'string-width'
import type { Plan, PlannedEnvironment } from '../../plan/types.js'
import { cleanTerminalLine } from '../clean.js'

/** The widths of a line's columns, and what each environment is called in it. */
export interface Columns {
  readonly count: number
  readonly environment: number
  readonly test: number
  /** Of the whole line; infinite where there is no terminal. */
  readonly width: number
  /** The shortest name that is the environment's alone in this plan, marked when emulated. */
  label(environment: string): string
}

const verdictWidth = 10
const durationWidth = 10
const narrowest = 12

/** Fits the columns to a plan, and to a terminal's width where there is one. */
export function columnsFor(plan: Plan, terminalWidth: number | undefined): Columns {
  const labels = labelsOf(plan.environments)
  const count = String(plan.expected).length * 2 + 1
  const tests = plan.environments.flatMap(environment => environment.tests.map(({ id }) => stringWidth(id)))
  let environment = Math.max(0, ...[...labels.values()].map(label => stringWidth(label)))
  let test = Math.max(0, ...tests)
  const width = terminalWidth ?? Number.POSITIVE_INFINITY
  const room = width - count - verdictWidth - durationWidth - 8
  if (environment + test > room) {
    test = Math.min(test, Math.max(narrowest, Math.ceil(room / 2)))
    environment = Math.max(narrowest, room - test)
  }
  return { count, environment, test, width, label: id => labels.get(id) ?? cleanTerminalLine(id) }
}

/** Fills a text up to a width, or cuts its middle out. */
export function fit(text: string, width: number): string {
  const excess = stringWidth(text) - width
  if (excess <= 0) return text + ' '.repeat(-excess)
  const keep = Math.max(0, width - 1)
  const head = Math.ceil(keep / 2)
  return `${text.slice(0, head)}…${text.slice(text.length - (keep - head))}`
}

function labelsOf(environments: readonly PlannedEnvironment[]): ReadonlyMap<string, string> {
  const pairing = (id: string): string => id.split('/')[0] ?? id
  const taken = new Map<string, number>()
  for (const { id } of environments) taken.set(pairing(id), (taken.get(pairing(id)) ?? 0) + 1)
  return new Map(
    environments.map(({ id, emulated }) => {
      const name = taken.get(pairing(id)) === 1 ? pairing(id) : id
      return [id, cleanTerminalLine(emulated ? `${name} (emulated)` : name)]
    }),
  )
}
