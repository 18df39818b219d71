/** The configuration that a guest runs in, as far as facts depend on it. */
export interface Given {
  readonly disk?: string | undefined
  readonly nic?: string | undefined
  readonly hypervisor?: string | undefined
  readonly mode?: 'hvm' | 'pv' | undefined
  readonly firmware?: 'bios' | 'uefi' | undefined
}

/** The configurations in which a group of facts holds; what is absent does not matter. */
export interface Conditions {
  readonly disk?: readonly string[] | undefined
  readonly nic?: readonly string[] | undefined
  readonly hypervisor?: readonly string[] | undefined
  readonly mode?: 'hvm' | 'pv' | undefined
  readonly firmware?: 'bios' | 'uefi' | undefined
}

/** Whether a group of facts holds in a configuration. */
export function holds(conditions: Conditions, given: Given): boolean {
  const among = (wanted: readonly string[] | undefined, value: string | undefined): boolean =>
    wanted === undefined || (value !== undefined && wanted.includes(value))
  return (
    among(conditions.hypervisor, given.hypervisor) &&
    among(conditions.disk, given.disk) &&
    among(conditions.nic, given.nic) &&
    (conditions.mode === undefined || conditions.mode === given.mode) &&
    (conditions.firmware === undefined || conditions.firmware === given.firmware)
  )
}
