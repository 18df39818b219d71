import { quote } from '../../remote/index.js'
import type { Ability, GuestRequest } from '../driver.js'
import type { VmBackend } from '../managed-vm/backend.js'
import { accessAt } from '../reach.js'
import { waitForAddresses } from '../shared/addresses.js'
import { newClaim, removeClaim, writeClaim } from '../shared/claims.js'
import type { CallOptions } from '../shared/host-commands.js'
import { prepareInstance } from './clean-state.js'
import { say, type VmrunHost, vmrun } from './host.js'
import { removeInstance } from './instances.js'
import { addressesIn } from './output.js'
import { createSnapshots } from './snapshots.js'
import { callOf, type VmPlace, vmrunVm } from './vm.js'

export interface BackendRequest {
  readonly host: VmrunHost
  readonly request: GuestRequest
  readonly abilities: ReadonlySet<Ability>
  /** How a person gets to the host, one line. */
  readonly login: string
  /** Facts of the host that say what the guest runs on. */
  readonly hostFacts: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>
}

/** One machine of VMware Workstation as `ManagedVm` drives it. */
export function vmrunBackend({ host, request, abilities, login, hostFacts }: BackendRequest): VmBackend {
  const { instance, placement } = request
  const { clean } = placement
  const { limits, shell } = host
  const lent = clean.kind === 'none'
  const place: VmPlace = { host, instance, file: '' }
  const vm = vmrunVm(place)
  const snapshots = createSnapshots(place)
  let facts: Readonly<Record<string, string>> = {}
  const quick = (signal: AbortSignal): CallOptions => callOf(place, limits.command, signal)

  return {
    ...vm,
    snapshot: snapshots.snapshot,
    revert: snapshots.revert,
    deleteSnapshot: snapshots.deleteSnapshot,
    listSnapshots: snapshots.list,
    dropSnapshots: snapshots.drop,
    // It is listed from its start to its end, whatever its guest does.
    graceMs: 0,
    lent,
    get keepHint() {
      return `${login} ${quote(vmrun('getGuestIPAddress', place.file))}`
    },
    prepare: async signal => {
      // What the host is stands in the journal by itself.
      const { product: _, version: __, ...below } = await hostFacts(signal)
      facts = { ...below, ...(await prepareInstance(place, request, signal)) }
    },
    claim: (found, signal) => writeClaim(shell, newClaim(instance, place.file, found), quick(signal)),
    begin: vm.start,
    describe: async () => {
      return {
        host: host.id,
        incarnation: null,
        abilities,
        console: null,
        facts: { ...facts, 'vm file': place.file },
      }
    },
    watch: tell => host.watch.add(place.file, tell),
    access: async (limit, signal) => {
      const call = quick(signal)
      const look = async () => {
        // Its "-wait" never gives up.
        const addresses = addressesIn(await say(shell, vmrun('getGuestIPAddress', place.file), call))
        return { addresses, notes: [`VMware Tools in the guest tell ${addresses.length} addresses`] }
      }
      const wait = { host: host.id, macs: [], call, limit, everyMs: limits.lookEvery.ms }
      const addresses = placement.endpoint === undefined ? await waitForAddresses(look, wait) : []
      const via = placement.viaHost ? { via: await host.connection.machine(signal) } : {}
      return { ...accessAt(placement.endpoint, addresses), ...via }
    },
    remove: async signal => {
      if (lent) {
        await removeClaim(shell, instance, quick(signal))
      }
      await removeInstance(host, instance, quick(signal))
    },
    keep: (found, signal) => {
      const own = clean.kind === 'overlay' || clean.kind === 'copy'
      const claim = own
        ? { ...newClaim(instance, instance), definition: place.file }
        : newClaim(instance, place.file, found)
      return writeClaim(shell, { ...claim, kept: true }, quick(signal))
    },
  }
}
