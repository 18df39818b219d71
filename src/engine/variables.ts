import { isSameBoot } from '../guests/boot-identity.js'
import type { PlannedEnvironment, PlannedTest } from '../plan/types.js'
import type { GuestSession } from './session.js'

type VariablesSource = Pick<GuestSession, 'nmiIn' | 'identity' | 'folder'>

/** What scripts are told of the pairing that they run on, and of what was done to it: never what the guest says. */
export function testVariables(
  environment: PlannedEnvironment,
  { nmiIn, identity, folder }: VariablesSource,
  test: Pick<PlannedTest, 'suite' | 'parameters'>,
): Record<string, string> {
  const isNmiOurs = nmiIn !== null && isSameBoot(nmiIn, identity)
  return { ...pairingVariables(environment, folder, test), ...(isNmiOurs ? { GC_NMI: 'injected' } : {}) }
}

function pairingVariables(
  { guest, hypervisor, configuration }: PlannedEnvironment,
  folder: string,
  { suite, parameters = {} }: Pick<PlannedTest, 'suite' | 'parameters'>,
): Record<string, string> {
  return {
    GUESTCERT: `${folder}/lib`,
    GUESTCERT_SUITE: `${folder}/suites/${suite}`,
    GC_TMP: `${folder}/scratch`,
    GC_GUEST_PRODUCT: guest.product,
    GC_GUEST_VERSION: guest.version,
    GC_GUEST_ARCH: guest.arch,
    GC_HYPERVISOR_PRODUCT: hypervisor.product,
    GC_HYPERVISOR_VERSION: hypervisor.version,
    GC_MODE: configuration.mode ?? '',
    ...(configuration.vcpus === undefined ? {} : { GC_VCPUS: String(configuration.vcpus) }),
    ...(configuration.memoryBytes === undefined
      ? {}
      : { GC_MEMORY_BYTES: String(configuration.memoryBytes) }),
    ...(configuration.firmware === undefined ? {} : { GC_FIRMWARE: configuration.firmware }),
    ...(configuration.disk === undefined ? {} : { GC_DISK: configuration.disk }),
    ...(configuration.nic === undefined ? {} : { GC_NIC: configuration.nic }),
    ...Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [parameterVariable(name), String(value)]),
    ),
  }
}

/** The variable of a parameter: `block-size` is `GC_PARAMETER_BLOCK_SIZE`. */
function parameterVariable(name: string): string {
  return `GC_PARAMETER_${name.toUpperCase().replaceAll('-', '_')}`
}
