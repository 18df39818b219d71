import type { Host, Placement } from '../../config/model.js'
import { compareVersions, parseVersion } from '../../config/version.js'
import type { Ability } from '../driver.js'

/**
 * What can be done with a guest placed so. There is no console and no screenshot: xe has neither without a terminal
 * or a login of its own over HTTP.
 */
export function abilitiesOf(
  { configuration: { mode, tools }, migratesTo }: Pick<Placement, 'configuration' | 'migratesTo'>,
  { product, version }: Pick<Host, 'product' | 'version'>,
): ReadonlySet<Ability> {
  // XCP-ng begins at 7.4 and is as XenServer of the same number.
  const since = (first: string): boolean => product === 'xcp-ng' || isAtLeast(version, first)
  // XenServer refuses what it needs the guest for, unless it has seen its PV drivers (VM_LACKS_FEATURE).
  const isHeard = mode === 'pv' || tools !== undefined
  return new Set<Ability>([
    'pause',
    'reset',
    ...(isHeard ? (['stop', 'attach-disk', 'attach-nic'] as const) : []),
    ...(isHeard && since('5.6') ? (['snapshot', 'revert', 'set-memory'] as const) : []),
    ...(mode === 'pv' ? (['set-vcpus'] as const) : []),
    ...(isHeard && migratesTo !== undefined ? (['migrate'] as const) : []),
    // xl is there from the time that the sources speak of: xcp-ng.org, troubleshooting of Windows PV tools.
    ...(mode === 'hvm' && isAtLeast(version, '8') ? (['nmi'] as const) : []),
  ])
}

function isAtLeast(version: string, first: string): boolean {
  const [real, bound] = [parseVersion(version), parseVersion(first)]
  return real !== null && bound !== null && compareVersions(real, bound) >= 0
}
