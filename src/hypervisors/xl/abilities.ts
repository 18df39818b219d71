import type { Host, Placement } from '../../config/model.js'
import { compareVersions, parseVersion } from '../../config/version.js'
import type { Ability } from '../driver.js'

/** What speaks to the hypervisor: xl, or xm where there is no xl. */
export type Toolstack = 'xl' | 'xm'

/** What both know. A domain is reset by ending it and creating it from the same configuration. */
const common: readonly Ability[] = ['console', 'pause', 'reset', 'stop']
/** Only of an instance's own domain: a VM that serves itself would keep what was done to it. */
const saved: readonly Ability[] = ['snapshot', 'revert']
/** Needs a guest with Xen's own drivers; of a PV or PVH guest that is known, as it has no others. */
const paravirtual: readonly Ability[] = ['attach-disk', 'attach-nic', 'set-memory', 'set-vcpus']

/** The first versions whose hosts have xl; Red Hat's never had it. */
const firstWithXl: Readonly<Record<string, string>> = { xen: '4.1', 'sles-xen': '12' }

/** What can be done with a guest placed so; what hangs on its mode only where the lab says that. */
export function abilitiesOf(
  { clean, configuration }: Pick<Placement, 'clean' | 'configuration'>,
  toolstack: Toolstack,
): ReadonlySet<Ability> {
  const { mode } = configuration
  const own = clean.kind === 'copy' && toolstack === 'xl'
  return new Set([
    ...common,
    ...(own ? saved : []),
    ...(own && (mode === 'pv' || mode === 'pvh') ? paravirtual : []),
    ...(mode === 'hvm' && toolstack === 'xl' ? (['nmi'] as const) : []),
  ])
}

/** What a host has, before it was asked. */
export function presumedToolstack({ product, version }: Pick<Host, 'product' | 'version'>): Toolstack {
  if (product === 'rhel-xen') {
    return 'xm'
  }
  const first = parseVersion(firstWithXl[product] ?? '0')
  const real = parseVersion(version)
  return first !== null && real !== null && compareVersions(real, first) < 0 ? 'xm' : 'xl'
}
