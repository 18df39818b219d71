import type { Host } from '../../config/model.js'
import type { GuestRequest } from '../driver.js'
import { imageFacts } from '../image-identity.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { type Sent, sent } from '../managed-vm/backend.js'
import { newClaim, removeClaim, runnerName, writeClaim } from '../shared/claims.js'
import { hostError, refused } from '../shared/host-commands.js'
import { makeFile, removeFiles } from '../shared/storage.js'
import { type Clone, cloneDomain, NotCloneable } from './clone.js'
import { differences } from './declared.js'
import { callOf, type DomainPlace, domainVm } from './domain-vm.js'
import { type LibvirtHost, listDomains, readXml } from './host.js'
import type { Route } from './move.js'
import { removeDomain } from './orphans.js'
import { deleteSnapshot, findSnapshot, revertTo } from './snapshots.js'
import { hasFeature } from './versions.js'
import { checkName, withXmlFile } from './virsh.js'
import { parseXml, writeXml } from './xml.js'

/** An instance that is to be made on a host. */
export interface PrepareRequest {
  readonly host: LibvirtHost
  /** The way to its second host; `null` where the lab names none. */
  readonly route: Route | null
  readonly connect: Host['connect']
  readonly request: GuestRequest
}

/** How an instance comes to its clean state, and how it is left. */
export interface CleanStart {
  /** What it was made from, as facts; known once it is prepared. */
  readonly image: Readonly<Record<string, string>>
  prepare(signal: AbortSignal): Promise<void>
  begin(signal: AbortSignal): Promise<Sent<void>>
  /** Removes it from every host that it may be on. */
  remove(signal: AbortSignal): Promise<void>
}

/** What any instance needs: a VM that is as the lab declares it. Gives the VM's definition. */
async function declaredVm(
  { host, request }: PrepareRequest,
  signal: AbortSignal,
): Promise<[vm: string, xml: string]> {
  const { placement, instance } = request
  const call = callOf(request, host.limits.command, signal)
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
  return [vm, text]
}

/** A domain of the instance's own, laid over a disk or copied from it. */
export function clonedStart(
  given: PrepareRequest,
  place: DomainPlace,
  { kind: how, path }: { readonly kind: 'overlay' | 'copy'; readonly path: string },
): CleanStart {
  const { host, route, request } = given
  const { instance, placement } = request
  const { location } = place
  let image: Readonly<Record<string, string>> = {}
  let files: readonly string[] = []
  return {
    get image() {
      return image
    },
    prepare: async signal => {
      const [, template] = await declaredVm(given, signal)
      const call = callOf(request, host.limits.command, signal)
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
      if ((await listDomains(host.virsh, call)).has(instance)) {
        // What an earlier try left is in the way.
        await removeDomain(host, instance, call)
      }
      files = clone.files.map(({ to }) => to)
      await host.virsh.demand(withXmlFile(host.virsh, ['define']), { ...call, stdin: Buffer.from(clone.xml) })
      const storing = { ...call, limit: host.limits.storage }
      const from = clone.files.map(file => file.from)
      image = await imageFacts(from, `${instance} on ${host.id}`, command =>
        host.virsh.demand(command, storing),
      )
      for (const file of clone.files) {
        await makeFile(host.virsh, file, storing)
      }
    },
    begin: async signal => {
      const { start } = location.host.limits
      await location.host.virsh.call(['start', instance], callOf(request, start, signal))
      return sent()
    },
    remove: async signal => {
      const hosts: readonly LibvirtHost[] =
        location.hasMoved && route !== null ? [route.first, route.second] : [host]
      const removing = hosts.map(each =>
        removeDomain(each, instance, callOf(request, each.limits.command, signal)),
      )
      for (const result of await Promise.allSettled(removing)) {
        if (result.status === 'rejected') {
          throw result.reason
        }
      }
      await removeFiles(host.virsh, files, callOf(request, host.limits.command, signal))
    },
  }
}

/** The VM itself, gone back to a snapshot of it. */
export function snapshotStart(given: PrepareRequest, place: DomainPlace, wanted: string): CleanStart {
  const { host, request } = given
  const { instance } = request
  let image: Readonly<Record<string, string>> = {}
  /** A VM that was refused is not ours to end. */
  let isOurs = false
  return {
    get image() {
      return image
    },
    prepare: async signal => {
      const [vm] = await declaredVm(given, signal)
      const call = callOf(request, host.limits.command, signal)
      const name = checkName(wanted, 'snapshot', instance, (await host.versions(call)).library)
      const found = await findSnapshot(host, vm, name, call)
      if (found === null) {
        throw hostError(instance, `${instance} on ${host.id}: the VM ${vm} has no snapshot "${name}"`)
      }
      image = { 'image snapshot': found }
      isOurs = true
      await writeClaim(host.virsh, newClaim(instance, vm), call)
    },
    begin: signal => revertTo(host, place.domain, wanted, callOf(request, host.limits.snapshot, signal)),
    remove: async signal => {
      if (!isOurs) {
        return
      }
      const vm = domainVm(place)
      await awaitSent(vm, vm.kill(signal), signal)
      for (const name of place.snapshots) {
        await deleteSnapshot(host, place.domain, name, callOf(request, host.limits.snapshot, signal))
      }
      await removeClaim(host.virsh, instance, callOf(request, host.limits.command, signal))
    },
  }
}

/** The VM itself, as it is: it is lent, and only let go of in the end. */
export function lentStart(given: PrepareRequest, place: DomainPlace): CleanStart {
  const { host, request } = given
  return {
    image: {},
    prepare: async signal => {
      await declaredVm(given, signal)
    },
    begin: signal => domainVm(place).start(signal),
    remove: signal => removeClaim(host.virsh, request.instance, callOf(request, host.limits.command, signal)),
  }
}

function tryClone(where: string, clone: () => Clone): Clone {
  try {
    return clone()
  } catch (error) {
    throw error instanceof NotCloneable ? refused(where, error.message) : error
  }
}
