import { InfraError } from '../../config/errors.js'
import type { Host } from '../../config/model.js'
import type { GuestRequest, PreparedGuest, RunningGuest } from '../driver.js'
import { type AskShell, imageFacts } from '../image-identity.js'
import type { Limit } from '../limit.js'
import { newClaim, removeClaim, runnerName, writeClaim } from '../shared/claims.js'
import { type CallOptions, refused } from '../shared/host-commands.js'
import { isActive } from '../shared/power-state.js'
import { makeFile, removeFiles } from '../shared/storage.js'
import { type Clone, cloneDomain, NotCloneable } from './clone.js'
import { differences } from './declared.js'
import { createGuest, type LibvirtGuest } from './guest.js'
import { domainXml, type LibvirtHost, readXml, type Seat, stateOf } from './host.js'
import { createHotplug } from './hotplug.js'
import { keepHint } from './keep.js'
import type { Route } from './move.js'
import { removeDomain } from './orphans.js'
import { destroyDomain, startDomain } from './power.js'
import { canSetMemory, canSetVcpus } from './resources.js'
import { deleteSnapshot, describeSnapshot, hasSnapshot, revertTo } from './snapshots.js'
import { abilitiesOf, hasFeature } from './versions.js'
import { checkName, withXmlFile } from './virsh.js'
import { parseXml, writeXml, type XmlElement } from './xml.js'

/** A prepared guest, and what the driver does with it when it closes. */
export interface LibvirtPrepared extends PreparedGuest {
  /** Stops watching what runs. */
  release(): void
}

export interface PrepareRequest {
  readonly host: LibvirtHost
  /** The way to its second host; `null` where the lab names none. */
  readonly route: Route | null
  readonly connect: Host['connect']
  readonly request: GuestRequest
}

/** Makes an instance that can be started: a domain of its own, or the VM itself at its clean state. */
export async function prepareInstance(given: PrepareRequest, signal: AbortSignal): Promise<LibvirtPrepared> {
  const { host, request } = given
  const { placement, instance } = request
  const call = callOf(given, host.limits.command, signal)
  const { library } = await host.versions(call)
  if (placement.vm === undefined) {
    throw refused(instance, 'the lab names no "vm" for it')
  }
  const vm = checkName(placement.vm, 'domain', instance, library)
  const text = await host.virsh.callWith(['dumpxml', vm], ['--inactive', '--security-info'], call)
  const differs = differences(readXml(text, vm, host.id), placement.configuration)
  if (differs.length > 0) {
    throw refused(instance, `the VM ${vm} is not as the lab declares it: ${differs.join('; ')}`)
  }
  switch (placement.clean.kind) {
    case 'overlay':
    case 'copy':
      return prepareClone(given, text, { how: placement.clean.kind, path: placement.clean.path }, signal)
    case 'snapshot': {
      const name = checkName(placement.clean.name, 'snapshot', instance, library)
      if (!(await hasSnapshot(host, vm, name, call))) {
        throw new InfraError(`${instance} on ${host.id}: the VM ${vm} has no snapshot "${name}"`, {
          cause: 'host',
          where: instance,
          code: 'driver',
        })
      }
      return prepareVm(given, vm, name, signal)
    }
    case 'none':
      return prepareVm(given, vm, null, signal)
  }
}

async function prepareClone(
  given: PrepareRequest,
  template: string,
  { how, path }: { how: 'overlay' | 'copy'; path: string },
  signal: AbortSignal,
): Promise<LibvirtPrepared> {
  const { host, request } = given
  const { instance, placement } = request
  const call = callOf(given, host.limits.command, signal)
  const { library } = await host.versions(call)
  const clone = tryClone(instance, () =>
    cloneDomain({
      template: writeXml(parseXml(template.slice(template.indexOf('<')))),
      instance,
      how,
      path,
      keepMacs: placement.endpoint !== undefined,
      consoleLog: hasFeature(library, 'console-log'),
      spareVcpus: !host.xen && hasFeature(library, 'vcpus'),
      description: `guestcert instance ${instance}, made by ${runnerName()} at ${new Date().toISOString()}`,
    }),
  )
  // What an earlier try left is in the way.
  await removeDomain(host, instance, call)
  const remove = async (until: AbortSignal, hosts: readonly LibvirtHost[] = [host]): Promise<void> => {
    const removing = hosts.map(each =>
      removeDomain(each, instance, callOf(given, each.limits.command, until)),
    )
    for (const result of await Promise.allSettled(removing)) {
      if (result.status === 'rejected') {
        throw result.reason
      }
    }
    await removeFiles(host.virsh, filesOf(clone), callOf(given, host.limits.command, until))
  }
  let image: Record<string, string>
  try {
    await host.virsh.demand(withXmlFile(host.virsh, ['define']), { ...call, stdin: Buffer.from(clone.xml) })
    const from = clone.files.map(file => file.from)
    image = await identify(given, from, signal)
    for (const file of clone.files) {
      await makeFile(host.virsh, file, { ...call, limit: host.limits.storage })
    }
  } catch (error) {
    await remove(AbortSignal.timeout(request.limits.undo)).catch(() => {})
    throw error
  }
  return prepared(given, {
    domain: instance,
    image,
    start: (host, until) => startDomain({ host, domain: instance, where: instance }, until),
    remove,
    ends: true,
  })
}

async function prepareVm(
  given: PrepareRequest,
  vm: string,
  snapshot: string | null,
  signal: AbortSignal,
): Promise<LibvirtPrepared> {
  const { host, request } = given
  const { instance } = request
  const call = callOf(given, host.limits.command, signal)
  const before = await stateOf(host, vm, call)
  const ran = before !== null && isActive(before.state)
  const ends = snapshot !== null || !ran
  await writeClaim(host.virsh, newClaim(instance, vm, !ends), call)
  const image =
    snapshot === null ? {} : { 'image snapshot': await describeSnapshot(host, vm, snapshot, call) }
  return prepared(given, {
    domain: vm,
    image,
    ends,
    start: async (_host, until) => {
      if (snapshot === null) {
        await startDomain({ host, domain: vm, where: instance }, until)
      } else {
        await revertTo(host, vm, snapshot, callOf(given, host.limits.snapshot, until))
      }
    },
    remove: async until => {
      const undo = callOf(given, host.limits.command, until)
      if (ends) {
        await destroyDomain({ host, domain: vm, where: instance }, until)
      }
      await removeClaim(host.virsh, instance, undo)
    },
  })
}

/** The disks that a clone is made from, as facts of its instance: read from the host, the first time whole. */
async function identify(
  given: PrepareRequest,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const { host, request } = given
  const call = callOf(given, host.limits.storage, signal)
  const ask: AskShell = command => host.virsh.demand(command, call)
  return imageFacts(paths, `${request.instance} on ${host.id}`, ask)
}

interface Ways {
  readonly domain: string
  /** What it was made from, as facts of the instance. */
  readonly image: Readonly<Record<string, string>>
  /** False for a VM that ran before and is not ours to end. */
  readonly ends: boolean
  start(host: LibvirtHost, signal: AbortSignal): Promise<void>
  /** Removes it from every host that it may be on. */
  remove(signal: AbortSignal, hosts: readonly LibvirtHost[]): Promise<void>
}

function prepared(given: PrepareRequest, { domain, image, ends, start, remove }: Ways): LibvirtPrepared {
  const { host, route, request, connect } = given
  const { placement, instance } = request
  const seat: Seat = { host, hasMoved: false }
  const hotplug = createHotplug(seat, domain, instance)
  const snapshots = new Set<string>()
  let running: LibvirtGuest | null = null
  return {
    keepHint: keepHint({ placement, guest: request.guest, connect, uri: host.virsh.uri, domain }),
    start: async (signal): Promise<RunningGuest> => {
      if (running !== null && !running.hasEnded()) {
        return running
      }
      await start(seat.host, signal)
      const call = callOf(given, host.limits.command, signal)
      const versions = await seat.host.versions(call)
      const xml: XmlElement = await domainXml(seat.host, domain, 'live', call)
      const abilities = new Set(abilitiesOf(versions.library, host.xen, placement))
      if (!canSetVcpus(xml, host.xen)) {
        abilities.delete('set-vcpus')
      }
      if (!canSetMemory(xml, host.xen)) {
        abilities.delete('set-memory')
      }
      const common = { seat, route, request, domain, image, xml, versions, abilities }
      const setting = { ...common, hotplug, snapshots, ends }
      running = createGuest(setting)
      return running
    },
    remove: async signal => {
      running?.release()
      if (!ends && running?.isOff() === true) {
        // One that ran before goes on.
        await startDomain({ host, domain, where: instance }, signal)
      }
      running = null
      const call = callOf(given, host.limits.snapshot, signal)
      if (domain !== instance) {
        for (const name of snapshots) {
          await deleteSnapshot(host, domain, name, call)
        }
      }
      snapshots.clear()
      await remove(signal, seat.hasMoved && route !== null ? [route.first, route.second] : [host])
      await hotplug.removeDisks(call)
    },
    keep: async signal => {
      const call = callOf(given, host.limits.command, signal)
      const claim = newClaim(instance, domain, !ends)
      await writeClaim(seat.host.virsh, { ...claim, kept: true }, call)
    },
    release: () => running?.release(),
  }
}

function tryClone(where: string, clone: () => Clone): Clone {
  try {
    return clone()
  } catch (error) {
    throw error instanceof NotCloneable ? refused(where, error.message) : error
  }
}

function filesOf({ files }: Clone): string[] {
  return files.map(({ to }) => to)
}

function callOf({ request }: PrepareRequest, limit: Limit, signal: AbortSignal): CallOptions {
  return { signal, limit, where: request.instance }
}
