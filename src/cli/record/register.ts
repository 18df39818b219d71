import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { InternalError } from '../../config/errors.js'
import { harnessDigest } from '../../config/harness.js'
import type { Certify } from '../../journal/events.js'
import { loadSuites } from '../../plan/suites.js'
import type { Plan } from '../../plan/types.js'
import { pairingsOf, statementAbout } from '../../record/ledger/entries.js'
import type { Record } from '../../record/ledger/read.js'
import { type WriteKeys, write } from '../../record/ledger/write.js'
import { openDrivers } from '../../run/drivers.js'
import { answer, lines } from '../answer.js'
import { type CommandIo, type ParsedArgs, requiredArgument } from '../args.js'
import { chosenPlan } from '../chosen-plan.js'
import { cacheFolder } from '../folders.js'
import { loadLab } from '../load-lab.js'
import { whoAmI } from '../who.js'
import { openRecord, writeKeys } from './open.js'

/** `guestcert record register LAB`: says in the record that a run will be begun. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const lab = await loadLab(resolve(io.cwd, requiredArgument(args, 'LAB')), io)
  const suites = await loadSuites(lab.suites, lab.file)
  const drivers = openDrivers(lab, cacheFolder())
  const requester = { who: whoAmI(args, io.env), nowMs: Date.now() }
  const plan = await chosenPlan(args, {
    lab,
    suites,
    abilitiesOf: drivers.abilitiesOf,
    requester,
    reports: 'reports',
    cwd: io.cwd,
  })
  await drivers.close()
  const { registration } = await register(await openRecord(args, io), plan, await writeKeys(args, io))
  answer(args, io, {
    value: { registration, planDigest: plan.digest, expected: plan.expected },
    text: () =>
      lines([
        `registered: plan ${plan.digest.slice(0, 12)}, ${plan.expected} results, ${registration}`,
        `begin it with: guestcert run … --certify --registration ${registration}`,
      ]),
    quiet: () => '',
  })
  return 0
}

/** Registers a plan. @throws UsageError */
export async function register(record: Record, plan: Plan, keys: WriteKeys): Promise<Certify> {
  const digest = await harnessDigest()
  const statement = statementAbout('registration', [{ name: 'plan', digest: { sha256: plan.digest } }], {
    at: new Date().toISOString(),
    nonce: randomBytes(16).toString('hex'),
    planDigest: plan.digest,
    planExpected: plan.expected,
    harnessDigest: digest,
    pairings: pairingsOf(plan),
  })
  const [appended] = await write(record, keys, [{ kind: 'registration', statement, cites: [] }])
  if (appended === undefined) throw new InternalError('the registration was not recorded')
  return { registration: appended.leaf, harnessDigest: digest }
}
