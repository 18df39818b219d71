import type { PlannedEnvironment, PlannedTest } from '../plan/types.js'

/** What scripts are told of the pairing that they run on: what the lab says, never what the guest says. */
export function testVariables(
  { guest, hypervisor, configuration }: PlannedEnvironment,
  folder: string,
  test: Pick<PlannedTest, 'suite'>,
): Record<string, string> {
  return {
    GUESTCERT: `${folder}/lib`,
    GUESTCERT_SUITE: `${folder}/suites/${test.suite}`,
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
  }
}
