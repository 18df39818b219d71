import { type Expectation, type Sent, showing, type VmCommands } from '../managed-vm/backend.js'
import type { Observation } from '../managed-vm/observation.js'
import { type CallOptions, read, refused } from '../shared/host-commands.js'
import { askLists, xe } from './host.js'
import { fieldOf, parseUuid, type XeRecord } from './output.js'
import { addedDisk, callOf, type VmPlace } from './vm.js'

/** Disks and cards that are added to a machine while it runs. */
export type Hotplug = Required<Pick<VmCommands, 'attachDisk' | 'detachDisk' | 'attachNic' | 'detachNic'>>

/** Sizes of disks are multiples of this (VHD's block of 2 MiB). */
const blockBytes = 2 * 2 ** 20

/** Adds devices to a machine; what it makes bears the instance's name. */
export function createHotplug(place: VmPlace): Hotplug {
  const { host, instance } = place
  const { limits, shell } = host
  const quick = (signal: AbortSignal): CallOptions => callOf(place, limits.command, signal)
  const ask = (command: string, signal: AbortSignal): Promise<string> => shell.demand(command, quick(signal))
  const make = async (command: string, limit: CallOptions['limit'], signal: AbortSignal): Promise<string> =>
    read(parseUuid, await shell.demand(command, callOf(place, limit, signal)), host.id)
  const list = async (verb: string, words: readonly string[], signal: AbortSignal): Promise<XeRecord[]> =>
    (await askLists(host, [xe(verb, ...words)], quick(signal)))[0] ?? []
  const disksOf = (more: readonly string[], signal: AbortSignal): Promise<XeRecord[]> => {
    const words = [`vm-uuid=${place.uuid}`, 'type=Disk', ...more, 'params=uuid,vdi-uuid,currently-attached']
    return list('vbd-list', words, signal)
  }
  const has = (kind: 'disks' | 'nics', id: string) => (seen: Observation) =>
    seen.devices?.[kind].includes(id) === true
  const given = (what: string, holds: (seen: Observation) => boolean): Expectation => {
    return { what, cause: 'host', limit: limits.command, devices: true, holds }
  }
  /** A guest that still uses a device keeps it: only the list says what became of it. */
  const letGo = async (
    kind: 'vbd' | 'vif',
    device: XeRecord | undefined,
    what: string,
    holds: (seen: Observation) => boolean,
    signal: AbortSignal,
  ): Promise<Sent<void>> => {
    const verb = device?.get('currently-attached') === 'true' ? `${kind}-unplug` : `${kind}-destroy`
    const command = device === undefined ? null : xe(verb, `uuid=${fieldOf(device, 'uuid')}`)
    const said = command === null ? '' : (await shell.run(command, quick(signal))).stderr
    const limit = limits.unplug
    return showing({ what: `let go of ${what}`, cause: 'guest', limit, devices: true, holds, said })
  }
  /** What a guest has let go of is still there, to be plugged in again. */
  const destroy = async (
    kind: 'vbd' | 'vif',
    device: XeRecord | undefined,
    until: AbortSignal,
  ): Promise<void> => {
    const uuid = device === undefined ? null : `uuid=${fieldOf(device, 'uuid')}`
    if (uuid !== null && (await list(`${kind}-list`, [uuid, 'params=uuid'], until)).length > 0) {
      await ask(xe(`${kind}-destroy`, uuid), until)
    }
  }

  return {
    attachDisk: async (sizeBytes, signal) => {
      const [first] = await disksOf([], signal)
      if (first === undefined) {
        throw refused(instance, 'it has no disk that says where another one should lie')
      }
      const beside = await list(
        'vdi-list',
        [`uuid=${fieldOf(first, 'vdi-uuid')}`, 'params=uuid,sr-uuid'],
        signal,
      )
      const sr = fieldOf(beside[0] ?? new Map(), 'sr-uuid')
      const size = Math.ceil(sizeBytes / blockBytes) * blockBytes
      const vdi = await make(
        xe(
          'vdi-create',
          `sr-uuid=${sr}`,
          `name-label=${addedDisk(instance)}`,
          'type=user',
          `virtual-size=${size}`,
        ),
        limits.storage,
        signal,
      )
      const words = [`vm-uuid=${place.uuid}`, `vdi-uuid=${vdi}`, 'device=autodetect', 'mode=RW', 'type=Disk']
      const vbd = await make(xe('vbd-create', ...words), limits.command, signal)
      await ask(xe('vbd-plug', `uuid=${vbd}`), signal)
      const device = (await ask(xe('vbd-param-get', `uuid=${vbd}`, 'param-name=device'), signal)).trim()
      return {
        value: { serial: vdi, ...(device === '' ? {} : { device }) },
        shows: given(`attach the disk ${device}`, has('disks', vdi)),
      }
    },
    detachDisk: async (vdi, signal) => {
      const [disk] = await list('vdi-list', [`uuid=${vdi}`, 'params=uuid,name-label'], signal)
      if (disk?.get('name-label') !== addedDisk(instance)) {
        throw refused(instance, `"${vdi}" is not a disk that was added to it`)
      }
      const [vbd] = await disksOf([`vdi-uuid=${vdi}`], signal)
      const finish = async (until: AbortSignal): Promise<void> => {
        await destroy('vbd', vbd, until)
        await ask(xe('vdi-destroy', `uuid=${vdi}`), until)
      }
      const isGone = (seen: Observation): boolean => !has('disks', vdi)(seen)
      return { ...(await letGo('vbd', vbd, `the disk ${vdi}`, isGone, signal)), finish }
    },
    attachNic: async signal => {
      const fields = 'params=uuid,network-uuid,device,MAC'
      const cards = await list('vif-list', [`vm-uuid=${place.uuid}`, fields], signal)
      const [first] = cards
      if (first === undefined) {
        throw refused(instance, 'it has no network card that another one could be like')
      }
      const used = cards.map(card => Number(fieldOf(card, 'device')))
      const device = [...used.keys(), used.length].find(number => !used.includes(number)) ?? used.length
      const network = fieldOf(first, 'network-uuid')
      const words = [`vm-uuid=${place.uuid}`, `network-uuid=${network}`, `device=${device}`, 'mac=random']
      const vif = await make(xe('vif-create', ...words), limits.command, signal)
      await ask(xe('vif-plug', `uuid=${vif}`), signal)
      const said = await ask(xe('vif-param-get', `uuid=${vif}`, 'param-name=MAC'), signal)
      const mac = said.trim().toLowerCase()
      return { value: { mac }, shows: given(`attach the card ${mac}`, has('nics', mac)) }
    },
    detachNic: async (mac, signal) => {
      const fields = 'params=uuid,MAC,currently-attached'
      const cards = await list('vif-list', [`vm-uuid=${place.uuid}`, fields], signal)
      const vif = cards.find(card => fieldOf(card, 'MAC').toLowerCase() === mac.toLowerCase())
      const finish = (until: AbortSignal): Promise<void> => destroy('vif', vif, until)
      const isGone = (seen: Observation): boolean => !has('nics', mac.toLowerCase())(seen)
      return { ...(await letGo('vif', vif, `the card ${mac}`, isGone, signal)), finish }
    },
  }
}
