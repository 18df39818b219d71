import { hostname } from 'node:os'
import { InfraError } from '../../config/errors.js'
import type { Host } from '../../config/model.js'
import type { GuestRequest, PreparedGuest, RunningGuest } from '../driver.js'
import type { Limit } from '../limit.js'
import { removeClaim, writeClaim } from './claims.js'
import { type Clone, cloneDomain, NotCloneable } from './clone.js'
import { differences } from './declared.js'
import { createGuest, destroyDomain, type LibvirtGuest } from './guest.js'
import { domainXml, type LibvirtHost, readXml, stateOf } from './host.js'
import { createHotplug } from './hotplug.js'
import { keepHint } from './keep.js'
import { removeDomain } from './orphans.js'
import { isActive } from './output.js'
import { deleteSnapshot, hasSnapshot, revertTo } from './snapshots.js'
import { makeFile, removeFiles, withXmlFile } from './storage.js'
import { abilitiesOf, hasFeature } from './versions.js'
import { type CallOptions, checkName } from './virsh.js'
import { parseXml, writeXml, type XmlElement } from './xml.js'

/** A prepared guest, and what the driver does with it when it closes. */
export interface LibvirtPrepared extends PreparedGuest {
  /** Stops watching what runs. */
  release(): void
}

export interface PrepareRequest {
  readonly host: LibvirtHost
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
      description: `guestcert instance ${instance}, made by ${runner()} at ${new Date().toISOString()}`,
    }),
  )
  // What an earlier try left is in the way.
  await removeDomain(host, instance, call)
  const remove = async (until: AbortSignal): Promise<void> => {
    const undo = callOf(given, host.limits.command, until)
    await removeDomain(host, instance, undo)
    await removeFiles(host.virsh, filesOf(clone), undo)
  }
  try {
    await host.virsh.demand(withXmlFile(host.virsh, ['define']), { ...call, stdin: Buffer.from(clone.xml) })
    for (const file of clone.files) {
      await makeFile(host.virsh, file, { ...call, limit: host.limits.storage })
    }
  } catch (error) {
    await remove(AbortSignal.timeout(request.limits.undo)).catch(() => {})
    throw error
  }
  const start = async (until: AbortSignal): Promise<void> => {
    await startDomain(given, instance, until)
  }
  return prepared(given, { domain: instance, start, remove, ends: true })
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
  const claim = { instance, vm, ran: !ends, runner: runner(), at: new Date().toISOString() }
  await writeClaim(host.virsh, claim, call)
  return prepared(given, {
    domain: vm,
    ends,
    start: async until => {
      if (snapshot === null) {
        await startDomain(given, vm, until)
      } else {
        await revertTo(host, vm, snapshot, callOf(given, host.limits.snapshot, until))
      }
    },
    remove: async until => {
      const undo = callOf(given, host.limits.command, until)
      if (ends) {
        await destroyDomain(host, vm, instance, until)
      }
      await removeClaim(host.virsh, instance, undo)
    },
  })
}

interface Ways {
  readonly domain: string
  /** False for a VM that ran before and is not ours to end. */
  readonly ends: boolean
  start(signal: AbortSignal): Promise<void>
  remove(signal: AbortSignal): Promise<void>
}

function prepared(given: PrepareRequest, { domain, ends, start, remove }: Ways): LibvirtPrepared {
  const { host, request, connect } = given
  const { placement } = request
  const hotplug = createHotplug(host, domain, request.instance)
  const snapshots = new Set<string>()
  let running: LibvirtGuest | null = null
  return {
    keepHint: keepHint({ placement, guest: request.guest, connect, uri: host.virsh.uri, domain }),
    start: async (signal): Promise<RunningGuest> => {
      if (running !== null && !running.hasEnded()) {
        return running
      }
      await start(signal)
      const call = callOf(given, host.limits.command, signal)
      const versions = await host.versions(call)
      const xml: XmlElement = await domainXml(host, domain, 'live', call)
      const abilities = abilitiesOf(versions.library, host.xen, placement)
      running = createGuest({ host, request, domain, xml, versions, abilities, hotplug, snapshots, ends })
      return running
    },
    remove: async signal => {
      running?.release()
      running = null
      const call = callOf(given, host.limits.snapshot, signal)
      if (domain !== request.instance) {
        for (const name of snapshots) {
          await deleteSnapshot(host, domain, name, call)
        }
      }
      snapshots.clear()
      await remove(signal)
      await hotplug.removeDisks(call)
    },
    release: () => running?.release(),
  }
}

/** Starts a domain unless it runs. */
async function startDomain(given: PrepareRequest, domain: string, signal: AbortSignal): Promise<void> {
  const { host } = given
  const call = callOf(given, host.limits.start, signal)
  const before = await stateOf(host, domain, call)
  if (before === null || !isActive(before.state)) {
    await host.virsh.call(['start', domain], call)
  } else if (before.state === 'paused') {
    await host.virsh.call(['resume', domain], call)
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

function refused(where: string, why: string): InfraError {
  return new InfraError(`${where}: ${why}`, { cause: 'runner', where, code: 'driver' })
}

function runner(): string {
  return `${hostname()} process ${process.pid}`
}
