import { InfraError } from '../../config/errors.js'
import type { Limit } from '../limit.js'
import type { Expectation, Sent, VmBackend } from '../managed-vm/backend.js'
import { sent, showing } from '../managed-vm/backend.js'
import { type Devices, isDown, isUp, type Observation } from '../managed-vm/observation.js'
import { type CallOptions, read, refused } from '../shared/host-commands.js'
import { allDisks, currentVcpus, macs, memoryKib } from './domain.js'
import { type Location, readXml, stateOf, stateWords } from './host.js'
import { parseDomainInfo, parseState } from './output.js'
import { type PowerContext, powerOf } from './power.js'
import type { XmlElement } from './xml.js'

/** A domain, where it is, and what is known of it that its state alone does not say. */
export interface DomainPlace {
  readonly location: Location
  readonly domain: string
  /** The instance that messages name. */
  readonly instance: string
  /** Names of snapshots that were made of it, as libvirt has them. */
  readonly snapshots: Set<string>
  /** True once its XML was seen to have a panic device. */
  tellsPanics: boolean
}

/** What can be done with any domain, whoever made it. */
export type DomainVm = Pick<
  VmBackend,
  'instance' | 'limits' | 'observe' | 'start' | 'requestShutdown' | 'kill'
> &
  Required<Pick<VmBackend, 'pause' | 'resume' | 'reset' | 'nmi' | 'setVcpus' | 'setMemory'>>

/** A guest gives memory back in whole pages, and some balloons in larger pieces. */
const memorySlackBytes = 1024 * 1024
const cut = '--guestcert--'

/** The call of an instance's command, within a limit of its host. */
export function callOf(
  { instance }: Pick<DomainPlace, 'instance'>,
  limit: Limit,
  signal: AbortSignal,
): CallOptions {
  return { signal, limit, where: instance }
}

/** The commands of a domain on the host that it is on. */
export function domainVm(place: DomainPlace): DomainVm {
  const { location, domain, instance } = place
  const quick = (signal: AbortSignal): CallOptions => callOf(place, location.host.limits.command, signal)
  const plain = async (verb: string, call: CallOptions): Promise<void> => {
    await location.host.virsh.call([verb, domain], call)
  }
  const runs = (what: string): Expectation => {
    const { start } = location.host.limits
    return { what, cause: 'host', limit: start, holds: ({ power }) => power === 'on' }
  }
  /** libvirt waits for the guest, but not for long: one that is slow may still do it. */
  const resize = async (
    args: readonly string[],
    what: string,
    holds: (devices: Devices) => boolean,
    signal: AbortSignal,
  ): Promise<Sent<void>> => {
    const { virsh, limits } = location.host
    await virsh.call(args, quick(signal)).catch((error: unknown) => {
      const isSlow =
        error instanceof InfraError && error.context.code === 'command' && /timed out/.test(error.message)
      if (!isSlow) {
        throw error
      }
    })
    const isThere = ({ devices }: Observation): boolean => devices !== null && holds(devices)
    return showing({ what, cause: 'guest', limit: limits.unplug, devices: true, holds: isThere })
  }
  return {
    instance,
    get limits() {
      return location.host.limits
    },
    observe: ({ devices }, signal) =>
      devices ? lookInside(place, quick(signal)) : look(place, quick(signal)),
    start: async signal => {
      const { host } = location
      const before = await look(place, quick(signal))
      if (!isUp(before)) {
        await plain('start', callOf(place, host.limits.start, signal))
      } else if (before.power === 'paused') {
        await plain('resume', quick(signal))
      }
      return showing(runs(`start ${domain}`))
    },
    requestShutdown: async signal => {
      await plain('shutdown', quick(signal))
      const { shutdown } = location.host.limits
      return showing({ what: 'shut down', cause: 'guest', limit: shutdown, holds: isDown })
    },
    kill: async signal => {
      const { virsh, limits } = location.host
      // Of one that is off it fails: only the state says what became of it.
      const { stderr } = await virsh.ask(['destroy', domain], callOf(place, limits.destroy, signal))
      const holds = ({ power }: Observation): boolean => power === 'off' || power === 'absent'
      return showing({ what: `end ${domain}`, cause: 'host', limit: null, said: stderr, holds })
    },
    pause: async signal => {
      await plain('suspend', quick(signal))
      const { command } = location.host.limits
      return showing({
        what: 'pause it',
        cause: 'host',
        limit: command,
        holds: ({ power }) => power === 'paused',
      })
    },
    resume: async signal => {
      await plain('resume', quick(signal))
      return showing(runs('resume it'))
    },
    reset: async signal => {
      await plain('reset', quick(signal))
      return sent()
    },
    nmi: async signal => {
      await plain('inject-nmi', quick(signal))
      return sent()
    },
    setVcpus: async (count, signal) => {
      if (!Number.isInteger(count) || count < 1) {
        throw refused(instance, `${count} is not a number of vCPUs`)
      }
      // Xen's driver of old knows no flags, and changes what runs without them.
      const args = ['setvcpus', domain, String(count), ...(location.host.xen ? [] : ['--live'])]
      return resize(args, `come to ${count} vCPUs`, ({ vcpus }) => vcpus === count, signal)
    },
    setMemory: async (bytes, signal) => {
      const kib = Math.floor(bytes / 1024)
      if (!Number.isInteger(kib) || kib < 1) {
        throw refused(instance, `it cannot have ${bytes} bytes of memory`)
      }
      const holds = ({ memoryBytes }: Devices): boolean =>
        memoryBytes !== null && Math.abs(memoryBytes - kib * 1024) <= memorySlackBytes
      return resize(['setmem', domain, String(kib)], `come to ${kib} KiB of memory`, holds, signal)
    },
  }
}

/** A domain's state. */
async function look(place: DomainPlace, call: CallOptions): Promise<Observation> {
  const { host } = place.location
  const answer = await stateOf(host, place.domain, call)
  return { ...powerOf(answer, contextOf(place)), incarnation: null, host: host.id, devices: null }
}

/** A domain's state and all that it has, in one question to its host. */
async function lookInside(place: DomainPlace, call: CallOptions): Promise<Observation> {
  const { host } = place.location
  const { virsh } = host
  const [state, xml, info] = [
    await stateWords(host, place.domain, call),
    ['dumpxml', place.domain],
    ['dominfo', place.domain],
  ].map(words => virsh.words(words))
  const command = `${state}&&echo ${cut}&&${xml}&&{ echo ${cut};${info}||:;}`
  const { code, stdout } = await virsh.run(command, call)
  if (code !== 0) {
    return look(place, call)
  }
  const [said = '', written = '', sizes = ''] = stdout.text.split(`${cut}\n`)
  const domain = readXml(written, place.domain, host.id)
  return {
    ...powerOf(read(parseState, said, host.id), contextOf(place)),
    incarnation: domain.attributes.id ?? null,
    host: host.id,
    devices: devicesOf(domain, sizes),
  }
}

function devicesOf(domain: XmlElement, sizes: string): Devices {
  const kib = memoryKib(domain)
  const written = { vcpus: currentVcpus(domain), memoryBytes: kib === null ? null : kib * 1024 }
  return {
    disks: allDisks(domain).flatMap(({ file }) => file ?? []),
    nics: macs(domain),
    ...(sizes.trim() === '' ? written : parseDomainInfo(sizes)),
  }
}

function contextOf({ location, tellsPanics }: DomainPlace): PowerContext {
  return { xen: location.host.xen, tellsPanics }
}
