import { resolve } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../../config/errors.js'
import { parseMomentMs } from '../../config/moment.js'
import { readChecked } from '../../config/read-checked.js'
import {
  type Coverage,
  type CustomerFacts,
  coverageOf,
  type Standing,
  standingsOf,
} from '../../record/ledger/status.js'
import { refuseFlaws } from '../../record/ledger/store.js'
import { answer, lines, type Paper } from '../answer.js'
import { type CommandIo, type ParsedArgs, textFlag } from '../args.js'
import type { Table } from '../table.js'
import { openRecord } from './open.js'

const facts = z.strictObject({
  guest: z.record(z.string(), z.string()),
  host: z.record(z.string(), z.string()),
})

/** `guestcert record status`: how each pairing stands, and whether it covers a customer's machines. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const record = await openRecord(args, io)
  refuseFlaws(record.folder, record.flaws)
  const standings = standingsOf(record, asOf(args))
  const customer = await customerFacts(args, io)
  const rows: readonly Row[] = standings.map(standing => ({
    standing,
    coverage: customer === null ? null : covers(standing, customer),
  }))
  const shown = ({ table }: Paper, wanted: readonly Row[]): string =>
    table(statusTable(wanted, customer !== null)) + lines(wanted.flatMap(differencesOf))
  answer(args, io, {
    value: rows.map(({ standing: { certificate: _, runs: __, ...said }, coverage }) => ({
      ...said,
      coverage,
    })),
    text: paper => shown(paper, rows),
    quiet: paper => {
      const open = rows.filter(
        ({ standing: { state } }) => state !== 'certified' && state !== 'self-attested',
      )
      return open.length === 0 ? '' : shown(paper, open)
    },
  })
  return 0
}

/** A pairing, and whether it covers the customer's machines. */
interface Row {
  readonly standing: Standing
  readonly coverage: Coverage | null
}

function statusTable(rows: readonly Row[], hasCustomer: boolean): Table {
  const yours = hasCustomer ? ['YOURS'] : []
  return {
    headings: ['PAIRING', 'STATE', 'UNTIL', 'CERTIFICATE', ...yours, 'WHY'],
    rows: rows.map(({ standing: { pairing, state, validUntil, number, why }, coverage }) => [
      pairing,
      state,
      validUntil?.slice(0, 10) ?? '-',
      number ?? '-',
      ...(hasCustomer ? [coverage?.state ?? '-'] : []),
      why.length > 1 ? `${why[0]} (and ${why.length - 1} more: guestcert record why)` : (why[0] ?? ''),
    ]),
  }
}

function differencesOf({ standing, coverage }: Row): readonly string[] {
  return (coverage?.differences ?? []).map(
    ({ name, certified, found }) =>
      `${standing.pairing}: ${name}: certified "${certified}", yours "${found}"`,
  )
}

/** The moment that `--as-of` names, else now. @throws UsageError */
export function asOf(args: ParsedArgs): number {
  const text = textFlag(args, 'as-of')
  const ms = text === undefined ? Date.now() : parseMomentMs(text)
  if (ms === null) throw new UsageError(`--as-of must be a day such as 2026-12-24, not "${text}"`)
  return ms
}

/** The facts that `--facts` names. @throws UsageError, ConfigError */
export async function customerFacts(args: ParsedArgs, io: CommandIo): Promise<CustomerFacts | null> {
  const path = textFlag(args, 'facts')
  return path === undefined ? null : readChecked(resolve(io.cwd, path), facts)
}

/** Whether what stands covers a customer's machines; `null` where nothing is certified. */
export function covers(
  { certificate, runs, state }: Standing,
  customer: CustomerFacts,
): ReturnType<typeof coverageOf> | null {
  const [run] = runs
  const isCovering = state === 'certified' || state === 'self-attested' || state === 'historic'
  if (certificate === null || run === undefined || !isCovering) return null
  return coverageOf(run, customer, certificate.predicate.carry)
}
