import type { PlannedEnvironment } from './types.js'

/**
 * How many required tests are left out of an environment that are for such an environment: all that passed is not all
 * that was asked for. Plans of older versions do not say of any why it is left out: all that they name count.
 */
export function requiredLeftOut({ leftOut }: Pick<PlannedEnvironment, 'leftOut'>): number {
  return leftOut.filter(({ level, kind }) => level === 'required' && kind !== 'not-applicable').length
}
