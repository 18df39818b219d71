import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Access, GuestRequest } from '../driver.js'
import type { HostLimits } from '../limit.js'
import type { AcceleratorChoice } from './accelerator.js'
import { kernelCommandLine, type UefiFiles } from './arguments.js'
import type { Hardware } from './hardware.js'
import { updateInstance } from './instances.js'
import { writeSshConfig } from './keep.js'
import { type Launched, launch } from './launch.js'
import type { Base } from './placement.js'
import { isRecord } from './qmp-message.js'

/** All that was decided and made for one instance before it starts. */
export interface Preparation {
  readonly request: GuestRequest
  readonly cacheFolder: string
  readonly folder: string
  readonly overlay: string
  readonly base: Base
  /** What its disk consists of, as facts. */
  readonly image: Readonly<Record<string, string>>
  readonly hardware: Hardware
  readonly uefi: UefiFiles | null
  readonly choice: AcceleratorChoice
  readonly limits: HostLimits
}

/** A QEMU that was started for a guest, and how the guest is reached now. */
export interface Started {
  readonly launched: Launched
  readonly access: Access
}

/** Starts QEMU and writes down, for others, which process it is and how its guest is reached. */
export async function startInstance(preparation: Preparation, signal: AbortSignal): Promise<Started> {
  const { request, folder, base } = preparation
  const launched = await launchInstance(preparation, signal)
  try {
    const access = accessOf(launched, base)
    const kept = request.outlives === true
    await updateInstance(folder, { qemu: launched.identity, port: launched.port, kept })
    await writeSshConfig(folder, access, base.image)
    return { launched, access }
  } catch (error) {
    launched.process.kill()
    throw error
  }
}

async function launchInstance(preparation: Preparation, signal: AbortSignal): Promise<Launched> {
  const { request, hardware, base, choice } = preparation
  const image = base.image
  const direct = image && {
    kernel: image.kernel,
    initrd: image.initrd,
    append: kernelCommandLine(image.manifest.kernelArguments, machineId(request.instance)),
  }
  return await launch(
    {
      name: request.instance,
      hardware,
      accelerator: choice.accelerator,
      overlay: preparation.overlay,
      uefi: preparation.uefi,
      direct,
      console: consoleFile(request),
      folder: preparation.folder,
      logFile: logFile(request),
    },
    preparation.limits,
    signal,
  )
}

/** How the guest of a QEMU that runs is reached. */
export function accessOf({ port }: Launched, { image }: Base): Access {
  const endpoint = { host: '127.0.0.1', port, jumps: [] }
  return image === null ? { endpoint } : { endpoint, keyPath: image.keyPath, hostKey: image.hostKey }
}

/** What is known of an instance without asking QEMU. */
export function factsOf(
  { base, image, hardware, choice }: Preparation,
  { version }: Launched,
): Record<string, string> {
  return {
    'qemu version': version,
    accelerator: choice.accelerator,
    'accelerator because': choice.why,
    firmware: hardware.firmware,
    disk: hardware.disk,
    nic: hardware.nic,
    image: base.image?.name ?? base.disk,
    ...image,
    ...(base.image === null ? {} : { 'image recipe': base.image.manifest.recipeDigest }),
  }
}

/** What QEMU says that it made: the machine's full name, with its version. */
export async function observed(
  { limits, hardware }: Preparation,
  { qmp }: Launched,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const type = await qmp.execute('qom-get', { path: '/machine', property: 'type' }, limits.command, signal)
  const kvm = await qmp.execute('query-kvm', {}, limits.command, signal)
  return {
    machine: typeof type === 'string' ? type.replace(/-machine$/, '') : hardware.machine,
    'kvm enabled': isRecord(kvm) ? String(kvm.enabled) : 'unknown',
  }
}

/** The same for the same instance, as long as systemd wants it. */
function machineId(instance: string): string {
  return createHash('sha256').update(instance).digest('hex').slice(0, 32)
}

/** The file of the guest's serial console. */
export function consoleFile({ evidenceFolder }: GuestRequest): string {
  return join(evidenceFolder, 'console.log')
}

/** The file of what QEMU says and tells. */
export function logFile({ evidenceFolder }: GuestRequest): string {
  return join(evidenceFolder, 'qemu.log')
}
