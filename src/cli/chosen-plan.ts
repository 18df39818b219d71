import type { Lab } from '../config/model.js'
import { makePlan } from '../plan/build.js'
import { everything } from '../plan/choice.js'
import type { Asker } from '../plan/reservation.js'
import type { AbilitiesOf } from '../plan/serving.js'
import type { Suite } from '../plan/suite.js'
import type { Plan } from '../plan/types.js'
import { isSet, type ParsedArgs, textFlag } from './args.js'
import { readChoice } from './choice.js'
import { readLastFailed, refuseMissing } from './last-failed.js'

/** What a plan is made of. */
export interface PlanParts {
  readonly lab: Lab
  readonly suites: readonly Suite[]
  readonly abilitiesOf: AbilitiesOf
  readonly asker: Asker
  /** Where `--last-failed` looks for the newest run. */
  readonly reports: string
}

/** The plan that the flags of a command choose. @throws UsageError */
export async function chosenPlan(
  args: ParsedArgs,
  { lab, suites, abilitiesOf, asker, reports }: PlanParts,
): Promise<Plan> {
  const choice = readChoice(args)
  const inspect = textFlag(args, 'inspect')
  const chosen = inspect === undefined ? choice : { ...choice, tests: [...choice.tests, inspect] }
  if (!isSet(args, 'last-failed')) {
    return makePlan(lab, suites, chosen, abilitiesOf, asker)
  }
  const last = await readLastFailed(reports, lab)
  const { only } = last
  refuseMissing(last, makePlan(lab, suites, { ...everything, only }, abilitiesOf, asker))
  return makePlan(lab, suites, { ...chosen, only }, abilitiesOf, asker)
}
