import type { Placement } from '../../config/model.js'
import type { Ability } from '../driver.js'

/**
 * What can be done with a guest placed so. Left out, for the sources do not say how, or disagree: disks, for how one is
 * taken away; cards; NMI and screenshots, for which the host's shell has no known command. vCPUs and memory are changed
 * in the configuration of a machine that is off, and a machine moves to another host through a vCenter only.
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
