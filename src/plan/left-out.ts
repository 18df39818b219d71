import type { PlannedEnvironment } from './types.js'

/** Said of tests that apply and that the choice passes over. */
export const notChosen = 'not chosen'

/**
 * How many required tests are left out of an environment, for whatever reason: all that passed is not all that was
 * asked for. Plans of older versions do not say it of any.
 */
export function requiredLeftOut({ leftOut }: Pick<PlannedEnvironment, 'leftOut'>): number {
  return leftOut.filter(({ level }) => level === 'required').length
}
