import type { Host, Placement } from '../../config/model.js'
import { compareVersions, parseVersion } from '../../config/version.js'
import type { Ability } from '../driver.js'

/** What every machine can do. Suspending writes its memory to its datastore: there is no other way to pause it. */
const common: readonly Ability[] = ['pause', 'reset', 'snapshot', 'revert', 'screenshot', 'attach-nic']
/** `SendNMI` is part of the API since then (vSphere Web Services API Reference 6.0). */
const firstWithNmi = '6.0'

/** What an ability is asked of: where a machine is placed, and where it may be moved. */
export interface Offered {
  readonly host: Pick<Host, 'version' | 'api' | 'emulated'>
  readonly placement: Pick<Placement, 'clean' | 'configuration' | 'migratesTo'>
  readonly second: Pick<Host, 'api' | 'emulated'> | undefined
}

/**
 * What can be done with a guest placed so. Left out: vCPUs and memory, of which a machine that runs can be given more and
 * nothing can be taken away; a console, which is written to a file or a network port of the machine's own configuration.
 */
export function abilitiesOf({ host, placement, second }: Offered): ReadonlySet<Ability> {
  const { clean, configuration } = placement
  // Only then does the guest see serial numbers of its disks: clones are made so, other machines are left as they are.
  const isOwn = clean.kind === 'overlay' || clean.kind === 'copy'
  return new Set<Ability>([
    ...common,
    // A guest is asked to shut down by VMware Tools, and by nothing else.
    ...(configuration.tools === 'none' ? [] : (['stop'] as const)),
    ...(isOwn ? (['attach-disk'] as const) : []),
    ...(isAtLeast(host.version, firstWithNmi) ? (['nmi'] as const) : []),
    ...(canMove(host, second) ? (['migrate'] as const) : []),
  ])
}

/** Both are hosts of one vCenter, as all that are emulated in one lab are. */
function canMove(host: Offered['host'], second: Offered['second']): boolean {
  if (host.emulated !== undefined) {
    return second?.emulated !== undefined
  }
  return second?.api !== undefined && host.api?.url === second.api.url && host.api.host !== second.api.host
}

function isAtLeast(version: string, first: string): boolean {
  const [real, least] = [parseVersion(version), parseVersion(first)]
  return real !== null && least !== null && compareVersions(real, least) >= 0
}
