import { quote } from '../../remote/index.js'
import type { Ability, GuestRequest } from '../driver.js'
import type { VmBackend } from '../managed-vm/backend.js'
import { accessAt } from '../reach.js'
import { waitForAddresses } from '../shared/addresses.js'
import { newClaim, removeClaim, writeClaim } from '../shared/claims.js'
import type { CallOptions } from '../shared/host-commands.js'
import { prepareInstance } from './clean-state.js'
import { createHotplug } from './devices.js'
import { type XenServerHost, xe } from './host.js'
import { removeInstance } from './instances.js'
import { addressesIn } from './output.js'
import { createSnapshots } from './snapshots.js'
import { callOf, type VmPlace, xenServerVm } from './vm.js'

export interface BackendRequest {
  readonly host: XenServerHost
  readonly second: XenServerHost | null
  readonly request: GuestRequest
  readonly abilities: ReadonlySet<Ability>
  /** How a person gets to the host, one line. */
  readonly login: string
  /** Facts of the host that say what the guest runs on. */
  readonly hostFacts: (signal: AbortSignal) => Promise<Readonly<Record<string, string>>>
}

/** One machine of a pool as `ManagedVm` drives it. */
export function xenServerBackend({
  host,
  second,
  request,
  abilities,
  login,
  hostFacts,
}: BackendRequest): VmBackend {
  const { instance, placement } = request
  const { limits, shell } = host
  const lent = placement.clean.kind === 'none'
  const place: VmPlace = { host, second, instance, uuid: '' }
  const vm = xenServerVm(place)
  const snapshots = createSnapshots(place)
  let facts: Readonly<Record<string, string>> = {}
  /** The host that it is on: through another one it need not be reached. */
  const locate = async (signal: AbortSignal): Promise<XenServerHost> =>
    second !== null && (await vm.observe({ devices: false }, signal)).host === second.id ? second : host
  const quick = (signal: AbortSignal): CallOptions => callOf(place, limits.command, signal)

  return {
    ...vm,
    ...createHotplug(place),
    snapshot: snapshots.snapshot,
    revert: snapshots.revert,
    deleteSnapshot: snapshots.deleteSnapshot,
    listSnapshots: snapshots.list,
    dropSnapshots: snapshots.drop,
    graceMs: limits.restart.ms,
    lent,
    // A domain is ended and another one made.
    proofs: { reset: 'incarnation' },
    get keepHint() {
      return `${login} ${quote(`xe vm-param-get uuid=${place.uuid} param-name=networks`)}`
    },
    prepare: async signal => {
      // What the host is stands in the journal by itself.
      const { product: _, version: __, ...below } = await hostFacts(signal)
      facts = { ...below, ...(await prepareInstance(place, request, signal)) }
    },
    claim: (found, signal) => writeClaim(shell, newClaim(instance, place.uuid, found), quick(signal)),
    begin: vm.start,
    describe: async signal => {
      const { incarnation, host: at } = await vm.observe({ devices: false }, signal)
      return { host: at, incarnation, abilities, console: null, facts: { ...facts, uuid: place.uuid } }
    },
    watch: tell => host.watch.add(place.uuid, tell),
    access: async (limit, signal) => {
      const call = quick(signal)
      const networks = xe('vm-param-get', `uuid=${place.uuid}`, 'param-name=networks')
      const look = async () => {
        const said = (await shell.run(networks, call)).stdout.text.trim()
        return { addresses: addressesIn(said), notes: [`the guest's tools say ${said || 'nothing'}`] }
      }
      const wait = { host: host.id, macs: [], call, limit, everyMs: limits.lookEvery.ms }
      const addresses = placement.endpoint === undefined ? await waitForAddresses(look, wait) : []
      const via = placement.viaHost ? { via: await (await locate(signal)).connection.machine(signal) } : {}
      return { ...accessAt(placement.endpoint, addresses), ...via }
    },
    remove: async signal => {
      if (lent) {
        // It was given back: what is left are disks that it has let go of.
        await removeClaim(shell, instance, quick(signal))
      }
      await removeInstance(host, instance, quick(signal))
    },
    keep: (found, signal) => {
      const serves = placement.clean.kind === 'overlay' ? instance : place.uuid
      return writeClaim(shell, { ...newClaim(instance, serves, found), kept: true }, quick(signal))
    },
  }
}
