import { createHash } from 'node:crypto'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Access, GuestRequest, Instance } from '../driver.js'
import type { HostLimits } from '../limit.js'
import { type AcceleratorChoice, distrustKvm } from './accelerator.js'
import { kernelCommandLine, type UefiFiles } from './arguments.js'
import { createGuest, type GuestSetting, type QemuGuest, type Started } from './guest.js'
import type { Hardware } from './hardware.js'
import { removeInstance, updateInstance } from './instances.js'
import { keepHint, writeSshConfig } from './keep.js'
import { type Launched, launch } from './launch.js'
import type { Base } from './placement.js'
import { ownWords } from './process.js'
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

/** A prepared guest, and what the driver needs to end it when it closes itself. */
export interface QemuPrepared extends Pick<Instance, 'start' | 'remove' | 'keepHint'> {
  /** Ends what runs, unless it is to be kept. */
  abandon(): void
}

export function createPrepared(preparation: Preparation): QemuPrepared {
  const { request, folder } = preparation
  const kept = request.outlives === true
  let running: QemuGuest | null = null
  return {
    keepHint: keepHint(folder),
    start: async signal => {
      if (running !== null && !running.hasEnded()) {
        return running
      }
      const started = await startInstance(preparation, signal)
      try {
        const guest = createGuest({
          where: request.instance,
          started,
          restart: until => startInstance(preparation, until),
          facts: {
            ...factsOf(preparation, started.launched),
            ...(await observed(preparation, started.launched, signal)),
          },
          limits: preparation.limits,
          uefi: preparation.uefi !== null,
          snapshots: preparation.hardware.snapshots,
          hotplug: hotplugOf(preparation),
          consoleFile: consoleFile(request),
          ...observers(preparation),
        })
        if (kept) {
          guest.keep()
        }
        running = guest
        return guest
      } catch (error) {
        started.launched.process.kill()
        throw error
      }
    },
    remove: async () => {
      if (running !== null) {
        await running.end()
        running = null
      }
      await removeInstance(folder)
    },
    abandon: () => {
      if (!kept) {
        running?.kill()
      }
    },
  }
}

/** Starts QEMU and writes down, for others, which process it is and how its guest is reached. */
async function startInstance(preparation: Preparation, signal: AbortSignal): Promise<Started> {
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

function hotplugOf({ hardware, folder, request, limits }: Preparation): GuestSetting['hotplug'] {
  return hardware.hotplug
    ? {
        folder,
        nicDevice: hardware.nicDevice,
        tools: signal => ({ where: request.instance, signal, cause: 'host', limit: limits.storage }),
      }
    : null
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

function observers({ request, choice, cacheFolder }: Preparation): {
  onEvent: (event: { readonly name: string; readonly data: unknown }) => void
  onLoss: (loss: { readonly why: string; readonly acceleratorFailed: boolean }) => void
} {
  const note = (text: string): void => {
    const line = `${ownWords}${new Date().toISOString()} ${text}\n`
    // Evidence that cannot be written is no reason to lose a guest.
    void appendFile(logFile(request), line).catch(() => {})
  }
  return {
    onEvent: ({ name, data }) => note(`${name} ${JSON.stringify(data)}`),
    onLoss: ({ why, acceleratorFailed }) => {
      note(`lost: ${why}`)
      if (acceleratorFailed && choice.accelerator === 'kvm') {
        void distrustKvm(cacheFolder, `it failed under ${request.instance}`).catch(() => {})
      }
    },
  }
}

function accessOf({ port }: Launched, { image }: Base): Access {
  const endpoint = { host: '127.0.0.1', port, jumps: [] }
  return image === null ? { endpoint } : { endpoint, keyPath: image.keyPath, hostKey: image.hostKey }
}

function factsOf(
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
async function observed(
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

function consoleFile({ evidenceFolder }: GuestRequest): string {
  return join(evidenceFolder, 'console.log')
}

function logFile({ evidenceFolder }: GuestRequest): string {
  return join(evidenceFolder, 'qemu.log')
}
