import { sent, type VmBackend } from '../managed-vm/backend.js'
import { accessAt } from '../reach.js'
import { newClaim, writeClaim } from '../shared/claims.js'
import { findAddresses } from './address.js'
import { type CleanStart, clonedStart, lentStart, type PrepareRequest, snapshotStart } from './clean-state.js'
import { type ConsoleReader, consoleReader } from './console.js'
import {
  appendsConsole,
  canSetMemory,
  canSetVcpus,
  consoleFile,
  domainFacts,
  macs,
  tellsPanics,
} from './domain.js'
import { callOf, type DomainPlace, domainVm } from './domain-vm.js'
import { takeScreenshot } from './evidence.js'
import { domainXml } from './host.js'
import { createHotplug } from './hotplug.js'
import { keepHint } from './keep.js'
import { type GuestLogs, guestLogs } from './logs.js'
import { moveDomain, type Route } from './move.js'
import { deleteSnapshot, lentSnapshots, ownName, revertTo, takeSnapshot } from './snapshots.js'
import { abilitiesOf } from './versions.js'
import type { XmlElement } from './xml.js'

/** What is learned of a domain once it runs. */
interface Learned {
  readonly xml: XmlElement
  readonly console: ConsoleReader | null
  readonly logs: GuestLogs
}

/** One domain of libvirt as `ManagedVm` drives it. */
export function libvirtBackend(given: PrepareRequest): VmBackend {
  const { host, route, request, connect } = given
  const { placement, instance } = request
  const { clean } = placement
  const isOwn = clean.kind === 'overlay' || clean.kind === 'copy'
  const place: DomainPlace = {
    location: { host, hasMoved: false },
    domain: isOwn ? instance : (placement.vm ?? instance),
    instance,
    snapshots: new Set(),
    tellsPanics: false,
  }
  const { location, domain } = place
  const start = startOf(given, place)
  const vm = domainVm(place)
  const hotplug = createHotplug(place)
  let learned: Learned | null = null
  let addresses: readonly string[] = []
  let listen: { unwatch: () => void; readonly again: () => void } | null = null
  const quick = (signal: AbortSignal) => callOf(place, location.host.limits.command, signal)
  const snapshotting = (signal: AbortSignal) => callOf(place, location.host.limits.snapshot, signal)

  return {
    ...vm,
    get limits() {
      return location.host.limits
    },
    ...hotplug,
    graceMs: 0,
    // QEMU restarts a guest within its domain; Xen makes another domain of it.
    ...(host.xen ? {} : { restarts: 'host' as const }),
    lent: clean.kind === 'none',
    keepHint: keepHint({ placement, guest: request.guest, connect, uri: host.virsh.uri, domain }),
    prepare: start.prepare,
    begin: start.begin,
    claim: (found, signal) => writeClaim(host.virsh, newClaim(instance, domain, found), quick(signal)),
    describe: async signal => {
      const xml = await domainXml(location.host, domain, 'live', quick(signal))
      const versions = await location.host.versions(quick(signal))
      const abilities = new Set(abilitiesOf(versions.library, host.xen, placement))
      if (!canSetVcpus(xml, host.xen)) {
        abilities.delete('set-vcpus')
      }
      if (!canSetMemory(xml, host.xen)) {
        abilities.delete('set-memory')
      }
      place.tellsPanics = tellsPanics(xml)
      learned = { xml, console: consoleOf(place, xml), logs: guestLogs(place, xml, request.evidenceFolder) }
      return {
        host: location.host.id,
        incarnation: xml.attributes.id ?? null,
        abilities,
        console: learned.console?.read ?? null,
        facts: {
          ...domainFacts(xml),
          ...start.image,
          'libvirt version': versions.library,
          ...(versions.hypervisor === null ? {} : { hypervisor: versions.hypervisor }),
          domain,
        },
      }
    },
    watch: tell => {
      const again = (): void => {
        listen?.unwatch()
        listen = { unwatch: location.host.watch.add(domain, tell), again }
      }
      again()
      return () => listen?.unwatch()
    },
    access: async (limit, signal) => {
      // The host that it was moved to need not know its address.
      const isAway = location.host !== host
      if (placement.endpoint === undefined && !(isAway && addresses.length > 0)) {
        const call = quick(signal)
        addresses = await findAddresses(location.host.virsh, {
          domain,
          macs: learned === null ? [] : macs(learned.xml),
          library: (await location.host.versions(call)).library,
          call,
          limit,
          everyMs: location.host.limits.lookEvery.ms,
          asksAll: addresses.length > 0,
        })
      }
      const via = placement.viaHost ? { via: await location.host.connection.machine(signal) } : {}
      return { ...accessAt(placement.endpoint, addresses), ...via }
    },
    screenshot: async (number, signal) => {
      const { virsh, limits } = location.host
      const call = callOf(place, limits.evidence, signal)
      return { value: await takeScreenshot(virsh, domain, request.evidenceFolder, number, call), shows: null }
    },
    snapshot: async (name, signal) => {
      const own = ownName(name, instance)
      place.snapshots.add(own)
      await takeSnapshot(location.host, domain, own, snapshotting(signal))
      return sent()
    },
    revert: (name, signal) => revertTo(location.host, domain, ownName(name, instance), snapshotting(signal)),
    deleteSnapshot: async (name, signal) => {
      const own = ownName(name, instance)
      await deleteSnapshot(location.host, domain, own, snapshotting(signal))
      place.snapshots.delete(own)
      return sent()
    },
    ...lentSnapshots(place),
    ...(route === null ? {} : { migrate: signal => migrate(route, signal) }),
    collect: async when => {
      if (when === 'end') {
        await learned?.logs.fetch(location.host)
      } else if (learned !== null && !appendsConsole(learned.xml)) {
        // The host begins the file anew.
        await learned.logs.keep(location.host)
        learned.console?.begin()
      }
    },
    remove: async signal => {
      await start.remove(signal)
      await hotplug.removeDisks(snapshotting(signal))
      place.snapshots.clear()
    },
    keep: async (found, signal) => {
      const claim = { ...newClaim(instance, domain, found), kept: true }
      await writeClaim(location.host.virsh, claim, quick(signal))
    },
  }

  async function migrate(way: Route, signal: AbortSignal): ReturnType<NonNullable<VmBackend['migrate']>> {
    const from = location.host
    try {
      const call = callOf(place, from.limits.migrate, signal)
      await moveDomain({ location, route: way, domain, instance, clean }, call)
    } finally {
      if (location.host !== from) {
        // Once it is elsewhere, what it said on the old host is evidence, and leaves it.
        listen?.again()
        learned?.console?.begin()
        await learned?.logs.keep(from)
        await learned?.logs.remove(from)
      }
    }
    const { id, limits } = location.host
    const holds = (seen: { readonly host: string }): boolean => seen.host === id
    return {
      value: undefined,
      shows: { what: `move it to ${id}`, cause: 'host', limit: limits.command, holds },
    }
  }
}

function startOf(given: PrepareRequest, place: DomainPlace): CleanStart {
  const { clean } = given.request.placement
  switch (clean.kind) {
    case 'overlay':
    case 'copy':
      return clonedStart(given, place, clean)
    case 'snapshot':
      return snapshotStart(given, place, clean.name)
    case 'none':
      return lentStart(given, place)
  }
}

function consoleOf(place: DomainPlace, xml: XmlElement): ConsoleReader | null {
  const { location, domain, instance } = place
  const file = consoleFile(xml)
  return file === null
    ? null
    : consoleReader({
        virsh: () => location.host.virsh,
        file,
        where: instance,
        fromStart: domain === instance,
        call: signal => callOf(place, location.host.limits.command, signal),
      })
}
