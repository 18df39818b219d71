import { InfraError } from '../../config/errors.js'
import { awaitSent } from './await-state.js'
import type { Found, Sent, VmBackend } from './backend.js'
import { isDown, type Observation } from './observation.js'

/** How a lent machine is when it is found. Throws InfraError for one that is in no state to be lent. */
export function foundAs(
  { power, said, host, devices }: Observation,
  snapshots: readonly string[],
  where: string,
): Found {
  if (power !== 'on' && power !== 'paused' && !isDown({ power })) {
    throw new InfraError(`${where} on ${host}: the machine cannot be used while it is ${said}`, {
      cause: 'host',
      where,
      code: 'driver',
    })
  }
  return {
    power: power === 'on' || power === 'paused' ? power : 'off',
    vcpus: devices?.vcpus ?? null,
    memoryBytes: devices?.memoryBytes ?? null,
    disks: devices?.disks ?? [],
    nics: devices?.nics ?? [],
    snapshots,
  }
}

/** What is needed to give a machine back. */
export type Lender = Pick<
  VmBackend,
  | 'observe'
  | 'instance'
  | 'limits'
  | 'start'
  | 'kill'
  | 'pause'
  | 'detachDisk'
  | 'detachNic'
  | 'setVcpus'
  | 'setMemory'
  | 'dropSnapshots'
>

/**
 * Makes a lent machine what it was when it was found: snapshots, devices, vCPUs and memory, then power. Again, if need
 * be. Every step is tried, whatever became of the others; throws the first error.
 */
export async function giveBack(vm: Lender, found: Found, signal: AbortSignal): Promise<void> {
  const errors: unknown[] = []
  const step = async (work: () => Promise<void>): Promise<void> => {
    await work().catch((error: unknown) => errors.push(error))
  }
  const done = async (command: Promise<Sent<unknown>> | undefined): Promise<void> => {
    if (command !== undefined) {
      await awaitSent(vm, command, signal)
    }
  }
  await step(async () => vm.dropSnapshots?.(found.snapshots, signal))
  const before = await vm.observe({ devices: false }, signal)
  if (found.power === 'off') {
    // What is added to a machine that runs is gone with its end on most hosts.
    await step(async () => (isDown(before) ? undefined : done(vm.kill(signal))))
  } else if (before.power !== 'on') {
    // A guest lets go of nothing while it stands still.
    await step(() => done(vm.start(signal)))
  }
  const { devices } = await vm.observe({ devices: true }, signal)
  for (const disk of (devices?.disks ?? []).filter(name => !found.disks.includes(name))) {
    await step(() => done(vm.detachDisk?.(disk, signal)))
  }
  for (const nic of (devices?.nics ?? []).filter(name => !found.nics.includes(name))) {
    await step(() => done(vm.detachNic?.(nic, signal)))
  }
  const { vcpus, memoryBytes } = found
  if (vcpus !== null && devices !== null && devices.vcpus !== vcpus) {
    await step(() => done(vm.setVcpus?.(vcpus, signal)))
  }
  if (memoryBytes !== null && devices !== null && devices.memoryBytes !== memoryBytes) {
    await step(() => done(vm.setMemory?.(memoryBytes, signal)))
  }
  if (found.power === 'paused') {
    await step(() => done(vm.pause?.(signal)))
  }
  if (errors.length > 0) {
    throw errors[0]
  }
}
