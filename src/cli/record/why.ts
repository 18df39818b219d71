import { refuseFlaws } from '../../record/ledger/store.js'
import { answer } from '../answer.js'
import { type CommandIo, type ParsedArgs, requiredArgument } from '../args.js'
import { decidedOf, decisionText, decisionValue, policyOf } from './decide.js'
import { openRecord } from './open.js'
import { asOf } from './status.js'

/** `guestcert record why PAIRING`: all that stands against a certificate, by a policy and what is recorded. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const record = await openRecord(args, io)
  refuseFlaws(record.folder, record.flaws)
  const wanted = requiredArgument(args, 'PAIRING')
  const pairing = wanted === 'all' ? undefined : wanted
  const decided = await decidedOf(record, await policyOf(args, io), asOf(args), pairing)
  const shown = (wanted: typeof decided): string => wanted.map(decisionText).join('')
  answer(args, io, {
    value: decided.map(decisionValue),
    text: () => shown(decided),
    quiet: () => shown(decided.filter(({ decision }) => !decision.certifies)),
  })
  return decided.every(({ decision }) => decision.certifies) ? 0 : 1
}
