import { resolve } from 'node:path'
import { UsageError } from '../../config/errors.js'
import { harnessDigest } from '../../config/harness.js'
import { registrationDigits } from '../../config/registration.js'
import type { Certify } from '../../journal/events.js'
import type { Plan } from '../../plan/types.js'
import { findEntry } from '../../record/ledger/find.js'
import { viewOf } from '../../record/ledger/view.js'
import { type CommandIo, isSet, type ParsedArgs, textFlag } from '../args.js'
import { listRuns } from '../runs.js'
import { openRecord, writeKeys } from './open.js'
import { register } from './register.js'

/** What `run --certify` binds a run to: a registration that is made now, or one that was made before. @throws UsageError */
export async function certifyOf(args: ParsedArgs, io: CommandIo, plan: Plan): Promise<Certify | undefined> {
  const given = textFlag(args, 'registration')
  if (!isSet(args, 'certify')) {
    if (given !== undefined) throw new UsageError('--registration needs --certify')
    return undefined
  }
  const record = await openRecord(args, io)
  if (given === undefined) return register(record, plan, await writeKeys(args, io))
  const entry = findEntry(record, given)
  const view = viewOf(record)
  const known = view.registrations.find(one => one.entry.leaf === entry.leaf)
  if (known === undefined) throw new UsageError(`entry ${given} is not a registration`)
  if (known.predicate.planDigest !== plan.digest) {
    throw new UsageError('another plan was registered: register this one, or choose as it was registered')
  }
  const digest = await harnessDigest()
  if (known.predicate.harnessDigest !== digest) {
    throw new UsageError('the run was registered with another version of this program')
  }
  if (view.runs.some(({ predicate }) => predicate.registration === entry.leaf)) {
    throw new UsageError('the registered run was carried out already: register another one')
  }
  const reports = resolve(io.cwd, textFlag(args, 'output') ?? 'reports')
  const ending = `-${entry.leaf.slice(0, registrationDigits)}`
  const begun = (await listRuns(reports)).find(run => run.endsWith(ending))
  if (begun !== undefined) {
    throw new UsageError(`the registered run was begun already, as ${begun}: a registration is for one run`)
  }
  return { registration: entry.leaf, harnessDigest: digest }
}
