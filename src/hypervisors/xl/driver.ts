import { InfraError } from '../../config/errors.js'
import type { GivenHostLimits } from '../../config/host-limits.js'
import type { Host } from '../../config/model.js'
import type { Machine } from '../../remote/index.js'
import type { Driver } from '../driver.js'
import { hostLimits } from '../limit.js'
import { ManagedVm } from '../managed-vm.js'
import { askOnce } from '../shared/ask-once.js'
import { HostConnection } from '../shared/connection.js'
import { findImage } from '../shared/image.js'
import { connectToHost, loginLine } from '../shared/login.js'
import { abilitiesOf, presumedToolstack } from './abilities.js'
import { type Below, xlBackend } from './backend.js'
import { xlChecks } from './checks.js'
import { hostFacts } from './facts.js'
import { createXlHost } from './host.js'
import { describeInstance, listInstances, removeInstance, type XlInstance } from './instances.js'

export interface XlDriverOptions {
  readonly host: Pick<Host, 'id' | 'product' | 'version' | 'connect' | 'image' | 'limits'>
  /** Where the images of hosts and guests that we made are found. */
  readonly cacheFolder: string
  /** Opens the connection in another way than the lab says. */
  readonly connect?: (signal: AbortSignal) => Promise<Machine>
}

/** Each look at a Xen host is a command of its own there, and one that we boot ourselves is slow at it. */
const ownLimits: GivenHostLimits = {
  command: 60_000,
  start: 180_000,
  shutdown: 60_000,
  destroy: 60_000,
  evidence: 60_000,
  unplug: 60_000,
  silence: 120_000,
  watchEvery: 5_000,
  lookEvery: 1_000,
}

/** A driver that also finds and removes what dead runs left on its host. */
export interface XlDriver extends Driver {
  instances(signal: AbortSignal): Promise<XlInstance[]>
  clean(name: string, signal: AbortSignal): Promise<void>
}

/** Guests of a Xen host without libvirt, spoken to with xl over one SSH connection. */
export function createXlDriver(options: XlDriverOptions): XlDriver {
  const { id, image } = options.host
  const limits = hostLimits(options.host.limits, ownLimits)
  const connection = new HostConnection(id, options.connect ?? (signal => connectTo(options, signal)))
  const host = createXlHost(id, connection, limits)
  const made = new Set<ManagedVm>()
  // A host that "lab up" boots runs in QEMU's software emulation: whoever reads results must see it.
  const below: Record<string, string> =
    image === undefined ? {} : { accelerator: `xen in QEMU's software emulation (image ${image})` }

  /** What a guest ran on belongs to its facts. */
  const facts = askOnce(async signal => {
    return { ...(await hostFacts(host, { signal, limit: limits.command, where: id })), ...below }
  })

  return {
    name: 'xl',
    abilities: placement => abilitiesOf(placement, presumedToolstack(options.host)),
    machine: signal => connection.machine(signal),
    checks: request => xlChecks(host, request),
    facts,
    instance: request => {
      const below = async (signal: AbortSignal): Promise<Below> => {
        const keys = await guestKeys(options, request.placement.image)
        const known = await facts(signal)
        // What the host has been seen to have: where that is xm, less is offered than its version may have promised.
        const toolstack = known.toolstack === 'xm' ? 'xm' : 'xl'
        return { keys, abilities: abilitiesOf(request.placement, toolstack), facts: known }
      }
      const managed = new ManagedVm(
        xlBackend({ host, request, login: loginLine(options.host), below }),
        request,
      )
      made.add(managed)
      return managed
    },
    instances: signal => listInstances(host, { signal, limit: limits.command, where: id }),
    leftovers: async signal =>
      (await listInstances(host, { signal, limit: limits.command, where: id })).map(describeInstance),
    clean: (name, signal) => removeInstance(host, name, { signal, limit: limits.command, where: name }),
    shell: signal => connection.machine(signal),
    close: async () => {
      host.watch.close()
      for (const prepared of made) {
        prepared.release()
      }
      await connection.close()
    },
  }
}

/** The keys of a guest that lies inside the host's image, or of an image of its own. */
async function guestKeys(
  { host, cacheFolder }: XlDriverOptions,
  name: string | undefined,
): Promise<Below['keys']> {
  if (name === undefined) {
    return {}
  }
  const inside =
    host.image === undefined ? undefined : (await findImage(host.image, cacheFolder))?.guests.get(name)
  if (inside !== undefined) {
    return inside
  }
  const image = await findImage(name, cacheFolder)
  if (image === null) {
    throw trouble(host.id, `the image ${name} is not built: guestcert lab build ${host.image ?? name}`)
  }
  return { keyPath: image.keyPath, hostKey: image.hostKey }
}

async function connectTo({ host, cacheFolder }: XlDriverOptions, signal: AbortSignal): Promise<Machine> {
  const image = host.image === undefined ? null : await findImage(host.image, cacheFolder)
  const keys = image === null ? {} : { image: { keyPath: image.keyPath, hostKey: image.hostKey } }
  return connectToHost(host, { driver: 'xl', limits: hostLimits(host.limits), signal, ...keys })
}

function trouble(where: string, why: string): InfraError {
  return new InfraError(`${where}: ${why}`, { cause: 'runner', where, code: 'driver' })
}
