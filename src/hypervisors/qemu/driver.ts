import { existsSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { InfraError } from '../../config/errors.js'
import type { GivenHostLimits } from '../../config/host-limits.js'
import type { Host, Placement } from '../../config/model.js'
import type { Ability, Driver, GuestRequest } from '../driver.js'
import { imageFacts } from '../image-identity.js'
import { hostLimits } from '../limit.js'
import { ManagedVm } from '../managed-vm.js'
import type { BuiltImage } from '../shared/image.js'
import { describeMissing, missingTools, runTool, type ToolOptions } from '../shared/tool.js'
import { type AcceleratorChoice, chooseAccelerator } from './accelerator.js'
import { type QemuBackend, qemuBackend } from './backend.js'
import { qemuChecks } from './checks.js'
import { canHotplug, canSnapshot, hardwareOf } from './hardware.js'
import { createInstance, findOrphans, instanceFolder, removeInstance } from './instances.js'
import { keptAccess } from './kept.js'
import { program } from './launch.js'
import { cleanOrphan, describeOrphan, isOn } from './leftovers.js'
import type { Preparation } from './machine.js'
import { checkDrivers, findBase } from './placement.js'
import { localShell } from './shell.js'
import { prepareUefi } from './uefi.js'

export interface QemuDriverOptions {
  readonly host: Pick<Host, 'id' | 'limits'>
  /** Where images are found and instances live; see `defaultCacheFolder`. */
  readonly cacheFolder: string
  /** `auto`, unless said otherwise: KVM where it proves to boot, else TCG. */
  readonly accelerator?: 'auto' | 'kvm' | 'tcg'
}

/** A process of this machine answers and ends faster than a host far away. */
const ownLimits: GivenHostLimits = {
  start: 30_000,
  command: 20_000,
  snapshot: 180_000,
  shutdown: 20_000,
  destroy: 10_000,
  storage: 60_000,
  consoleEvery: 250,
  lookEvery: 100,
}

/** There is no display to picture, and no balloon: QEMU is started with what the configuration names alone. */
const always: readonly Ability[] = ['console', 'nmi', 'pause', 'reset', 'stop']

/** Guests in local QEMU processes: an overlay, a loopback port and a console file each. */
export function createQemuDriver(options: QemuDriverOptions): Driver {
  const { cacheFolder, host } = options
  const limits = hostLimits(host.limits, ownLimits)
  const made = new Set<QemuBackend>()
  let probing: Promise<unknown> = Promise.resolve()

  const tools = (where: string, signal: AbortSignal): ToolOptions => {
    return { where, signal, cause: 'host', limit: limits.storage }
  }
  /** One probe at a time: whoever comes second finds what the first one learned. */
  const accelerate = (image: BuiltImage | null, signal: AbortSignal): Promise<AcceleratorChoice> => {
    const { accelerator = 'auto' } = options
    if (accelerator !== 'auto') {
      return Promise.resolve({ accelerator, why: 'the driver was told so' })
    }
    const probe = { cacheFolder, where: host.id, limit: limits.probe }
    const answer = probing.then(() => chooseAccelerator(probe, image, signal))
    probing = answer.catch(() => {})
    return answer
  }
  const make = async (request: GuestRequest, signal: AbortSignal): Promise<Preparation> => {
    checkInstalled(host.id)
    const { placement, guest, instance } = request
    const hardware = hardwareOf(placement.configuration, guest)
    const toolOptions = tools(`${instance} on ${host.id}`, signal)
    const base = await findBase(placement, cacheFolder, toolOptions)
    checkDrivers(base, hardware, guest.id)
    const parts = base.image === null ? [] : [base.image.kernel, base.image.initrd]
    const image = await imageFacts([base.disk, ...parts], toolOptions.where, command =>
      runTool('sh', ['-c', command], toolOptions),
    )
    const choice = await accelerate(base.image, signal)
    const folder = await createInstance(cacheFolder, instance, host.id)
    try {
      const overlay = join(folder, 'overlay.qcow2')
      const create = ['create', '-q', '-f', 'qcow2', '-F', base.format, '-b', base.disk, overlay]
      await runTool('qemu-img', create, toolOptions)
      const uefi = hardware.firmware === 'uefi' ? await prepareUefi(folder, toolOptions) : null
      return {
        request,
        cacheFolder,
        folder,
        overlay,
        base,
        image,
        hardware,
        uefi,
        choice,
        limits,
      }
    } catch (error) {
      await removeInstance(folder)
      throw error
    }
  }
  return {
    name: 'qemu',
    abilities: placement => abilitiesOf(placement),
    checks: request => qemuChecks(request, { cacheFolder, limits }),
    facts: async signal => {
      checkInstalled(host.id)
      const version = await runTool(program, ['--version'], tools(host.id, signal))
      return {
        'qemu version': /version (\S+)/.exec(version)?.[1] ?? version.trim(),
        'host kernel': release(),
        'host cpu': cpus()[0]?.model.trim() ?? 'unknown',
        'host cpus': String(cpus().length),
      }
    },
    instance: request => {
      const backend = qemuBackend({
        host: host.id,
        request,
        cacheFolder,
        limits,
        abilities: abilitiesOf(request.placement),
        tools: signal => tools(request.instance, signal),
        make: signal => make(request, signal),
      })
      made.add(backend)
      return new ManagedVm(backend, request)
    },
    keptAccess: (request, signal) => keptAccess(cacheFolder, request, tools(request.instance, signal)),
    leftovers: async () => (await findOrphans(cacheFolder)).filter(isOn(host.id)).map(describeOrphan),
    remains: async name => {
      const folder = instanceFolder(cacheFolder, name)
      return existsSync(folder) ? [folder] : []
    },
    clean: name => cleanOrphan(cacheFolder, name),
    shell: async () => localShell(host.id),
    close: async () => {
      for (const backend of made) {
        backend.abandon()
      }
      made.clear()
    },
  }
}

function abilitiesOf({ configuration }: Placement): ReadonlySet<Ability> {
  return new Set<Ability>([
    ...always,
    ...(canSnapshot(configuration) ? (['snapshot', 'revert'] as const) : []),
    ...(canHotplug(configuration) ? (['attach-disk', 'attach-nic'] as const) : []),
  ])
}

function checkInstalled(where: string): void {
  const missing = missingTools([program, 'qemu-img', 'setpriv'])
  if (missing.length > 0) {
    throw new InfraError(`${where}: ${describeMissing(missing)}`, { cause: 'host', where, code: 'driver' })
  }
}
