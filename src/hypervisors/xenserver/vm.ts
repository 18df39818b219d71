import { InfraError } from '../../config/errors.js'
import type { Limit } from '../limit.js'
import { type Expectation, type Sent, showing, type VmBackend } from '../managed-vm/backend.js'
import { isDown, type Observation } from '../managed-vm/observation.js'
import { type CallOptions, refused } from '../shared/host-commands.js'
import { askLists, incarnationOf, type XenServerHost, xe } from './host.js'
import { fieldOf, numberOf, powerOf, type XeRecord } from './output.js'

/** A virtual machine of a pool, and the hosts of the lab that it may be on. */
export interface VmPlace {
  readonly host: XenServerHost
  /** The host that it is moved to; `null` where the lab names none. */
  readonly second: XenServerHost | null
  readonly instance: string
  /** Known once it is found or made. */
  uuid: string
}

/** What can be done with any machine, whoever made it. */
export type XenServerVm = Pick<
  VmBackend,
  'instance' | 'limits' | 'observe' | 'start' | 'requestShutdown' | 'kill'
> &
  Required<Pick<VmBackend, 'pause' | 'resume' | 'reset' | 'nmi' | 'setVcpus' | 'setMemory' | 'migrate'>>

/** What the toolstack and a balloon driver may keep of the memory that was asked for. */
const memorySlackBytes = 4 * 2 ** 20

/** The call of an instance's command, within a limit of its host. */
export function callOf(
  { instance }: Pick<VmPlace, 'instance'>,
  limit: Limit,
  signal: AbortSignal,
): CallOptions {
  return { signal, limit, where: instance }
}

/** The commands of a machine. */
export function xenServerVm(place: VmPlace): XenServerVm {
  const { host, second, instance } = place
  const { limits, shell } = host
  const uuid = (): string => `uuid=${place.uuid}`
  const run = async (command: string, limit: Limit, signal: AbortSignal): Promise<void> => {
    await shell.demand(command, callOf(place, limit, signal))
  }
  const shows = (what: string, limit: Limit, holds: Expectation['holds'], more: Partial<Expectation> = {}) =>
    showing({ what, cause: 'host', limit, holds, ...more })
  const isOn = ({ power }: Observation): boolean => power === 'on'
  return {
    instance,
    limits,
    observe: (wants, signal) => observe(place, wants, signal),
    start: async signal => {
      const { said } = await observe(place, { devices: false }, signal)
      const on = `on=${await host.uuid(signal)}`
      if (said === 'paused') {
        await run(xe('vm-unpause', uuid()), limits.command, signal)
      } else if (said === 'suspended') {
        await run(xe('vm-resume', uuid(), on), limits.start, signal)
      } else if (said !== 'running') {
        await run(xe('vm-start', uuid(), on), limits.start, signal)
      }
      return shows('start it', limits.start, isOn)
    },
    requestShutdown: async signal => {
      let refusal: string | null = null
      // xapi waits for the guest for as long as it likes, and at once refuses one whose tools it has not seen.
      shell.run(xe('vm-shutdown', uuid()), callOf(place, limits.shutdown, signal)).then(
        ({ code, stderr }) => {
          refusal = code === 0 ? null : stderr.trim()
        },
        // Whoever looks next meets what became of the host.
        () => {},
      )
      const holds = (seen: Observation): boolean => {
        if (!isDown(seen) && refusal !== null) {
          throw notShutDown(instance, host.id, refusal)
        }
        return isDown(seen)
      }
      return shows('shut down', limits.shutdown, holds, { cause: 'guest' })
    },
    kill: async signal => {
      const { said: state } = await observe(place, { devices: false }, signal)
      const call = callOf(place, limits.destroy, signal)
      const isThere = state !== 'halted' && state !== 'not there'
      const said = isThere ? (await shell.run(xe('vm-shutdown', uuid(), 'force=true'), call)).stderr : ''
      const holds = (seen: Observation): boolean => seen.said === 'halted' || seen.power === 'absent'
      return shows('end it', limits.destroy, holds, { said })
    },
    pause: async signal => {
      await run(xe('vm-pause', uuid()), limits.command, signal)
      return shows('pause it', limits.command, ({ power }) => power === 'paused')
    },
    resume: async signal => {
      await run(xe('vm-unpause', uuid()), limits.command, signal)
      return shows('resume it', limits.command, isOn)
    },
    reset: async signal => {
      await run(xe('vm-reboot', uuid(), 'force=true'), limits.start, signal)
      return shows('start it anew', limits.start, isOn)
    },
    nmi: async signal => {
      const { incarnation, host: at } = await observe(place, { devices: false }, signal)
      if (incarnation === null) {
        throw refused(instance, 'it does not run')
      }
      const there = at === second?.id ? second : host
      // Only the host that it is on knows its domain.
      const command = `PATH=$PATH:/usr/sbin:/opt/xensource/bin xl trigger ${incarnation} nmi`
      await there.shell.demand(command, callOf(place, limits.command, signal))
      return { value: undefined, shows: null }
    },
    setVcpus: async (count, signal) => {
      await run(xe('vm-vcpu-hotplug', uuid(), `new-vcpus=${count}`), limits.command, signal)
      return shows(`come to ${count} vCPUs`, limits.unplug, ({ devices }) => devices?.vcpus === count, {
        cause: 'guest',
        devices: true,
      })
    },
    setMemory: async (bytes, signal) => {
      const range = [`min=${bytes}`, `max=${bytes}`]
      await run(xe('vm-memory-dynamic-range-set', uuid(), ...range), limits.command, signal)
      const holds = ({ devices }: Observation): boolean =>
        Math.abs((devices?.memoryBytes ?? Number.POSITIVE_INFINITY) - bytes) <= memorySlackBytes
      return shows(`come to ${bytes / 2 ** 20} MiB of memory`, limits.unplug, holds, {
        cause: 'guest',
        devices: true,
      })
    },
    migrate: signal => move(place, signal),
  }
}

async function move(place: VmPlace, signal: AbortSignal): Promise<Sent<void>> {
  const { host, second, instance } = place
  if (second === null) {
    throw refused(instance, 'the lab names no second host for it')
  }
  const { host: at } = await observe(place, { devices: false }, signal)
  const to = at === host.id ? second : host
  const words = [`uuid=${place.uuid}`, `host=${await to.uuid(signal)}`, 'live=true']
  await host.shell.demand(xe('vm-migrate', ...words), callOf(place, host.limits.migrate, signal))
  const holds = (seen: Observation): boolean => seen.host === to.id && seen.power === 'on'
  return showing({ what: `move it to ${to.id}`, cause: 'host', limit: host.limits.migrate, holds })
}

const vmFields = 'uuid,power-state,dom-id,resident-on,VCPUs-number,memory-actual'

const diskFields = 'params=uuid,vdi-uuid,vdi-name-label,device,currently-attached'

/** What a disk is called that was added to an instance: by it one is found whose machine is gone. */
export function addedDisk(instance: string): string {
  return `${instance}.added`
}

/** A disk of its own by its place, which it keeps when the machine goes back to a snapshot; an added one by its UUID. */
function nameOfDisk(disk: XeRecord, instance: string): string {
  const isAdded = fieldOf(disk, 'vdi-name-label') === addedDisk(instance)
  return isAdded ? fieldOf(disk, 'vdi-uuid') : fieldOf(disk, 'device')
}

async function observe(
  place: VmPlace,
  { devices }: { readonly devices: boolean },
  signal: AbortSignal,
): Promise<Observation> {
  const { host, uuid } = place
  const commands = [
    xe('vm-list', `uuid=${uuid}`, `params=${vmFields}`),
    ...(devices
      ? [
          xe('vbd-list', `vm-uuid=${uuid}`, 'type=Disk', diskFields),
          xe('vif-list', `vm-uuid=${uuid}`, 'params=uuid,MAC,currently-attached'),
        ]
      : []),
  ]
  const call = callOf(place, host.limits.command, signal)
  const [[machine] = [], disks = [], nics = []] = await askLists(host, commands, call)
  if (machine === undefined) {
    return { power: 'absent', said: 'not there', incarnation: null, host: host.id, devices: null }
  }
  const said = fieldOf(machine, 'power-state')
  // Of a machine that does not run, nothing is attached: it has what it will start with.
  const attached = (record: XeRecord): boolean =>
    isDown({ power: powerOf(said) }) || record.get('currently-attached') === 'true'
  return {
    power: powerOf(said),
    said,
    incarnation: incarnationOf(machine),
    host: await hostOf(place, fieldOf(machine, 'resident-on'), signal),
    devices: devices
      ? {
          disks: disks.filter(attached).map(disk => nameOfDisk(disk, place.instance)),
          nics: nics.filter(attached).map(nic => fieldOf(nic, 'MAC').toLowerCase()),
          vcpus: numberOf(machine, 'VCPUs-number'),
          memoryBytes: numberOf(machine, 'memory-actual'),
        }
      : null,
  }
}

/** The lab's name of the host with a UUID: another member of the pool has none but that. */
async function hostOf({ host, second }: VmPlace, uuid: string, signal: AbortSignal): Promise<string> {
  if (!/^[0-9a-f-]{36}$/.test(uuid) || uuid === (await host.uuid(signal))) {
    return host.id
  }
  return second !== null && uuid === (await second.uuid(signal)) ? second.id : `pool member ${uuid}`
}

function notShutDown(where: string, host: string, said: string): InfraError {
  return new InfraError(`${where} on ${host}: the guest did not shut down: ${said}`, {
    cause: 'guest',
    where,
    code: 'command',
  })
}
