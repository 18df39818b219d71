import type { Environment } from '../api/test.js'
import type { PlannedEnvironment } from '../plan/types.js'

/** What a test module is told of its pairing. */
export function environmentFor({ id, guest, hypervisor, configuration }: PlannedEnvironment): Environment {
  const { product, version, edition, arch, family, driverSigners = null } = guest
  const values = Object.entries(configuration).filter(([, value]) => value !== undefined)
  return {
    id,
    guest: { product, version, edition, arch, family, driverSigners },
    hypervisor,
    configuration: Object.fromEntries(values) as Record<string, string | number>,
  }
}
