import type { Placement } from '../../config/model.js'
import type { Ability } from '../driver.js'

/**
 * What can be done with a guest placed so. Left out: disks, cards, vCPUs and memory, which vmrun changes of a machine that is
 * off; NMI and migration, which it does not know; a screenshot, for which it logs in to the guest; a console, whose file
 * cannot be added to a machine that is not the instance's own.
 */
export function abilitiesOf({ configuration }: Pick<Placement, 'configuration'>): ReadonlySet<Ability> {
  return new Set<Ability>([
    'pause',
    'reset',
    'snapshot',
    'revert',
    // A guest is asked to shut down by VMware Tools, and by nothing else.
    ...(configuration.tools === 'none' ? [] : (['stop'] as const)),
  ])
}
