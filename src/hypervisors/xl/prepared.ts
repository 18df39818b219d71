import { posix } from 'node:path'
import { quote } from '../../remote/index.js'
import type { Ability, GuestRequest, PreparedGuest } from '../driver.js'
import { imageFacts } from '../image-identity.js'
import type { Limit } from '../limit.js'
import { newClaim, removeClaim, writeClaim } from '../shared/claims.js'
import { type CallOptions, refused } from '../shared/host-commands.js'
import { makeFile } from '../shared/storage.js'
import { cloneConfig } from './clone.js'
import { type DomainConfig, parseConfig, writeConfig } from './config.js'
import { differences, diskModelOf, memoryMiBOf, modeOf, understood, vcpusOf } from './declared.js'
import { createXlGuest, type GuestKeys, type XlGuest, type XlGuestSetting } from './guest.js'
import { findDomain, type XlHost, xl } from './host.js'
import { createHotplug } from './hotplug.js'
import { configFile, removeInstance, writeInstance } from './instances.js'
import { createDomain, destroyDomain } from './power.js'
import { createSnapshots } from './snapshots.js'

/** A prepared guest, and what the driver does with it when it closes. */
export interface XlPrepared extends PreparedGuest {
  release(): void
}

export interface XlPrepareRequest {
  readonly host: XlHost
  readonly request: GuestRequest
  readonly keys: GuestKeys
  readonly abilities: ReadonlySet<Ability>
  /** How a person gets to the host, one line. */
  readonly login: string
  /** Facts of the host that say what the guest runs on. */
  readonly below: Readonly<Record<string, string>>
}

interface Ways {
  readonly domain: string
  readonly config: DomainConfig
  readonly macs: readonly string[]
  /** The configuration's file, as a word of a shell command. */
  readonly file: string
  readonly ends: boolean
  /** The files of the disks that are the instance's own; none of a VM that serves itself. */
  readonly disks: readonly string[]
  /** What those were made from, as facts. */
  readonly image: Readonly<Record<string, string>>
  remove(signal: AbortSignal): Promise<void>
}

/** Makes an instance that can be started: a domain of its own, or the VM itself as it is. */
export async function prepareXl(given: XlPrepareRequest, signal: AbortSignal): Promise<XlPrepared> {
  const { host, request } = given
  const { instance, placement } = request
  const { clean } = placement
  const vm = placement.vm
  if (vm === undefined) {
    throw refused(instance, 'the lab names no "vm" for it')
  }
  const call = callOf(given, host.limits.command, signal)
  const file = quote(vm.startsWith('/') ? vm : `/etc/xen/${vm}.cfg`)
  const text = await host.shell.demand(`cat ${file}`, call)
  const because = (why: string): Error => refused(instance, `${file} on ${host.id}: ${why}`)
  const config = understood(() => parseConfig(text), because)
  const differs = understood(() => differences(config, placement.configuration), because)
  if (differs.length > 0) {
    throw refused(instance, `the VM ${vm} is not as the lab declares it: ${differs.join('; ')}`)
  }
  if (clean.kind === 'none') {
    const domain = String(config.get('name') ?? vm)
    const ends = (await findDomain(host, domain, call)) === null
    await writeClaim(host.shell, newClaim(instance, domain, !ends), call)
    const remove = async (until: AbortSignal): Promise<void> => {
      if (ends) {
        await destroyDomain(host, domain, callOf(given, host.limits.destroy, until))
      }
      await removeClaim(host.shell, instance, callOf(given, host.limits.command, until))
    }
    return prepared(given, { domain, config, macs: [], file, ends, disks: [], image: {}, remove })
  }
  if (clean.kind !== 'copy') {
    throw refused(instance, `clean: the driver xl knows "copy" and "none", not "${clean.kind}"`)
  }
  const { path } = clean
  const keepMacs = placement.endpoint !== undefined
  const clone = understood(() => cloneConfig({ template: config, instance, path, keepMacs }), because)
  const written = understood(() => writeConfig(clone.config), because)
  // What an earlier try left is in the way.
  await removeInstance(host, instance, call)
  const remove = (until: AbortSignal): Promise<void> =>
    removeInstance(host, instance, callOf(given, host.limits.command, until))
  let image: Record<string, string>
  try {
    await writeInstance(host.shell, instance, written, call)
    const from = clone.files.map(each => each.from)
    image = await imageFacts(from, `${instance} on ${host.id}`, command =>
      host.shell.demand(command, { ...call, limit: host.limits.storage }),
    )
    for (const { from, to } of clone.files) {
      await makeFile(host.shell, { from, to, how: 'copy' }, { ...call, limit: host.limits.storage })
    }
  } catch (error) {
    await remove(AbortSignal.timeout(request.limits.undo)).catch(() => {})
    throw error
  }
  return prepared(given, {
    domain: instance,
    config: clone.config,
    macs: clone.macs,
    file: configFile(instance),
    ends: true,
    disks: clone.files.map(({ to }) => to),
    image,
    remove,
  })
}

function prepared(given: XlPrepareRequest, ways: Ways): XlPrepared {
  const { host, request, keys, abilities } = given
  const { domain, file, config, macs, ends } = ways
  const target = { host, domain, file, hvm: modeOf(config) === 'hvm' }
  const own = ownParts(host, ways)
  let running: XlGuest | null = null
  return {
    keepHint: `${given.login} -t xl console ${quote(domain)}`,
    start: async signal => {
      if (running !== null && !running.hasEnded()) {
        return running
      }
      const call = callOf(given, host.limits.start, signal)
      const before = await findDomain(host, domain, call)
      if (before === null) {
        await createDomain(target, call)
        await own?.hotplug.becomes(new Map(), call)
      } else if (before.state === 'paused') {
        await host.shell.demand(xl('unpause', quote(domain)), call)
      }
      const facts = { ...factsOf(config), ...ways.image, ...given.below }
      running = createXlGuest({ ...target, request, config, macs, keys, facts, abilities, own, ends })
      return running
    },
    remove: async signal => {
      running?.release()
      running = null
      await ways.remove(signal)
    },
    keep: async signal => {
      const claim = { ...newClaim(request.instance, domain, !ends), kept: true }
      await writeClaim(host.shell, claim, callOf(given, host.limits.command, signal))
    },
    release: () => running?.release(),
  }
}

/** What an instance's own domain has besides what it was created with. */
function ownParts(host: XlHost, { domain, config, disks }: Ways): XlGuestSetting['own'] {
  const [first, ...others] = disks
  if (first === undefined) {
    return null
  }
  const hotplug = createHotplug({ host, domain, config, folder: posix.dirname(first) })
  return { hotplug, snapshots: createSnapshots({ host, domain, disks: [first, ...others], hotplug }) }
}

function factsOf(config: DomainConfig): Record<string, string> {
  const disk = diskModelOf(config)
  return {
    'vm mode': modeOf(config),
    'vm vcpus': String(vcpusOf(config)),
    'vm memory': `${memoryMiBOf(config)} MiB`,
    ...(disk === undefined ? {} : { disk }),
  }
}

function callOf({ request }: XlPrepareRequest, limit: Limit, signal: AbortSignal): CallOptions {
  return { signal, limit, where: request.instance }
}
