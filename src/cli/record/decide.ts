import { resolve } from 'node:path'
import { UsageError } from '../../config/errors.js'
import { nearest } from '../../config/nearest.js'
import { keyIdOf } from '../../record/envelope/keys.js'
import { kitOf } from '../../record/kit.js'
import {
  certificateFor,
  type Decided,
  decideAll,
  decisionStatement,
  policyStatement,
} from '../../record/ledger/decisions.js'
import { type Record, readRecord } from '../../record/ledger/read.js'
import { write } from '../../record/ledger/write.js'
import { type LoadedPolicy, loadPolicy } from '../../record/policy/load.js'
import { answer, lines } from '../answer.js'
import { argument, type CommandIo, isSet, type ParsedArgs, textFlag } from '../args.js'
import { openRecord, writeKeys } from './open.js'
import { type Recorded, recordedOf, recordedText, recordedValue } from './recorded.js'

/** `guestcert record decide [PAIRING]`: what a policy says of the record's runs, signed. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const record = await openRecord(args, io)
  const loaded = await policyOf(args, io)
  const wanted = argument(args, 'PAIRING')
  const decided = (await decidedOf(record, loaded, Date.now(), wanted)).filter(
    ({ input }) => wanted !== undefined || input.cases.length > 0,
  )
  if (decided.length === 0) {
    const none = lines([`no run of this record is of a pairing of ${loaded.policy.policy}`])
    answer(args, io, { value: { decisions: [], recorded: [] }, text: () => none, quiet: () => none })
    return 1
  }
  const recorded = isSet(args, 'dry-run') ? [] : await recordAll(decided, loaded, record, args, io)
  const shown = (wanted: typeof decided): string => wanted.map(decisionText).join('')
  answer(args, io, {
    value: { decisions: decided.map(decisionValue), recorded: recordedValue(recorded) },
    text: () => shown(decided) + recordedText(recorded),
    quiet: () => shown(decided.filter(({ decision }) => !decision.certifies)),
  })
  return decided.every(({ decision }) => decision.certifies) ? 0 : 1
}

/** The policy that `--policy` names. @throws UsageError, ConfigError */
export function policyOf(args: ParsedArgs, io: CommandIo): Promise<LoadedPolicy> {
  const path = textFlag(args, 'policy')
  if (path === undefined) throw new UsageError('give the policy: --policy FILE')
  return loadPolicy(resolve(io.cwd, path))
}

/** Decisions about all pairings of a policy, or about one. @throws UsageError with the nearest name */
export async function decidedOf(
  record: Record,
  { policy }: LoadedPolicy,
  nowMs: number,
  wanted?: string,
): Promise<readonly Decided[]> {
  const names = policy.pairings.map(({ pairing }) => pairing)
  if (wanted !== undefined && !names.includes(wanted)) {
    const near = nearest(wanted, names)
    const hint = near === null ? `one of ${names.join(', ')}` : `did you mean "${near}"?`
    throw new UsageError(`unknown pairing "${wanted}" in ${policy.policy}: ${hint}`)
  }
  const pairings = policy.pairings.filter(({ pairing }) => wanted === undefined || pairing === wanted)
  return decideAll(record, { policy: { ...policy, pairings }, kit: await kitOf(policy), nowMs })
}

/** A decision for people. */
export function decisionText({ pairing, decision, input }: Decided): string {
  const { certifies, level, validUntil, reasons, notes, waived } = decision
  const head = certifies
    ? `${pairing.pairing}: ${level} until ${validUntil?.slice(0, 10)}`
    : `${pairing.pairing}: not certified`
  const lines = [
    ...input.cases.map(
      ({ run }) => `  run: ${run.run}, begun ${run.openedAt.slice(0, 16).replace('T', ' ')} UTC`,
    ),
    ...reasons.map(({ code, text }) => `  ${code}: ${text}`),
    ...waived.map(({ test, waiver, expires }) => `  waived: ${test} by ${waiver} until ${expires}`),
    ...notes.map(({ code, text }) => `  (${code}: ${text})`),
  ]
  return `${[head, ...lines].join('\n')}\n`
}

/** A decision for programs. */
export function decisionValue({ pairing, decision }: Decided): object {
  const { certifies, level, validUntil, reasons, waived, notes } = decision
  const said = (all: typeof reasons): readonly object[] => all.map(({ code, text }) => ({ code, text }))
  return {
    pairing: pairing.pairing,
    certifies,
    level,
    validUntil,
    reasons: said(reasons),
    waived,
    notes: said(notes),
  }
}

async function recordAll(
  decided: readonly Decided[],
  loaded: LoadedPolicy,
  record: Record,
  args: ParsedArgs,
  io: CommandIo,
): Promise<readonly Recorded[]> {
  const keys = await writeKeys(args, io)
  const party = record.trust.keys.get(keyIdOf(keys.key))?.party ?? ''
  const policy = policyStatement(loaded, record)
  const statements = decided.map(one => decisionStatement(one, loaded, party, record))
  const appended = await write(record, keys, [...(policy === null ? [] : [policy]), ...statements])
  const own = appended.slice(-statements.length)
  const words = decided.map(({ pairing }) => `the decision of ${party} on ${pairing.pairing}`)
  const recorded = [...recordedOf(own, words)]
  // The keeper's record has them only when they are submitted.
  for (const one of 'out' in keys.log ? [] : decided) {
    const now = await readRecord(record.folder)
    const certificate = certificateFor(one, loaded, now)
    if (certificate === null) continue
    const [issued] = await write(now, keys, [certificate])
    const { number } = certificate.statement.predicate as { readonly number: string }
    if (issued !== undefined) recorded.push({ appended: issued, what: `certificate ${number}` })
  }
  return recorded
}
