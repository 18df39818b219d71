import { quote } from '../../remote/index.js'
import type { Limit } from '../limit.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { type Expectation, sent, showing, type VmBackend } from '../managed-vm/backend.js'
import { type Account, isDown, isUp, type Observation } from '../managed-vm/observation.js'
import { type CallOptions, read, refused } from '../shared/host-commands.js'
import type { DomainConfig } from './config.js'
import { maxVcpusOf, memoryMiBOf, modeOf } from './declared.js'
import { listCommand, type XlHost, xl, xlOrXm } from './host.js'
import { watcherLog } from './logs.js'
import {
  type ListedDomain,
  parseBlockList,
  parseEnd,
  parseList,
  parseNetworkList,
  powerOfState,
} from './output.js'

/** A domain and what it is created from. xl keeps none that does not run. */
export interface XlPlace {
  readonly host: XlHost
  readonly instance: string
  /** The domain's name: the instance's own, or the VM's where it serves itself. */
  domain: string
  /** The file of its configuration, as a word of a shell command. */
  file: string
  config: DomainConfig
}

/** What can be done with any domain, whoever made it. */
export type XlVm = Pick<VmBackend, 'instance' | 'limits' | 'observe' | 'start' | 'requestShutdown' | 'kill'> &
  Required<Pick<VmBackend, 'pause' | 'resume' | 'reset' | 'nmi' | 'setVcpus' | 'setMemory'>>

const cut = '--guestcert--'
/** The call of an instance's command, within a limit of its host. */
export function callOf(
  { instance }: Pick<XlPlace, 'instance'>,
  limit: Limit,
  signal: AbortSignal,
): CallOptions {
  return { signal, limit, where: instance }
}

/** The commands of a domain. */
export function xlVm(place: XlPlace): XlVm {
  const { host, instance } = place
  const { limits, shell } = host
  const quick = (signal: AbortSignal): CallOptions => callOf(place, limits.command, signal)
  const plain = async (words: readonly string[], call: CallOptions): Promise<void> => {
    await shell.demand(xl(...words), call)
  }
  const runs = (what: string): Expectation => {
    return { what, cause: 'host', limit: limits.start, holds: ({ power }) => power === 'on' }
  }
  const vm: XlVm = {
    instance,
    limits,
    observe: ({ devices }, signal) => (devices ? lookInside : look)(place, quick(signal)),
    start: async signal => {
      const before = await look(place, quick(signal))
      if (before.power === 'paused') {
        await plain(['unpause', quote(place.domain)], quick(signal))
      } else if (!isUp(before)) {
        await create(before, signal)
      }
      return showing(runs(`start ${place.domain}`))
    },
    requestShutdown: async signal => {
      await shell.demand(shutdownCommand(place), quick(signal))
      return showing({
        what: 'shut down',
        cause: 'guest',
        limit: limits.shutdown,
        holds: isDown,
        // A VM of the host's own may be configured to stay when it has shut down.
        settlesFor: ({ power }) => power === 'ending',
      })
    },
    kill: async signal => {
      const isThere = (await look(place, quick(signal))).power !== 'absent'
      const call = callOf(place, limits.destroy, signal)
      const said = isThere ? (await shell.run(xl('destroy', quote(place.domain)), call)).stderr : ''
      const holds = ({ power }: Observation): boolean => power === 'absent'
      return showing({ what: `destroy ${place.domain}`, cause: 'host', limit: null, said, holds })
    },
    pause: async signal => {
      await plain(['pause', quote(place.domain)], quick(signal))
      const holds = ({ power }: Observation): boolean => power === 'paused'
      return showing({ what: 'pause it', cause: 'host', limit: limits.command, holds })
    },
    resume: async signal => {
      await plain(['unpause', quote(place.domain)], quick(signal))
      return showing(runs('resume it'))
    },
    // It is ended and created from the same configuration.
    reset: async signal => {
      await create(await look(place, quick(signal)), signal)
      return showing(runs(`start ${place.domain} anew`))
    },
    nmi: async signal => {
      await plain(['trigger', quote(place.domain), 'nmi'], quick(signal))
      return sent()
    },
    // One that it is given anew a guest may leave offline until somebody brings it up inside, as Debian does.
    setVcpus: async (count, signal) => {
      const most = maxVcpusOf(place.config)
      if (!Number.isInteger(count) || count < 1 || count > most) {
        throw refused(instance, `${count} is not a number of vCPUs that it can have: from 1 to ${most}`)
      }
      // Without -i it refuses more than the host has CPUs, which it did not when the domain was created.
      await plain(['vcpu-set', '-i', quote(place.domain), String(count)], quick(signal))
      const holds = ({ devices }: Observation): boolean =>
        (devices?.vcpus ?? Number.POSITIVE_INFINITY) <= count
      return showing({
        what: `let go of all but ${count} vCPUs`,
        cause: 'guest',
        limit: limits.unplug,
        devices: true,
        holds,
      })
    },
    setMemory: async (bytes, signal) => {
      const mib = Math.floor(bytes / 2 ** 20)
      const most = memoryMiBOf(place.config)
      if (!(mib >= 1 && mib <= most)) {
        throw refused(instance, `it cannot have ${bytes} bytes of memory: expected from 1 MiB to ${most} MiB`)
      }
      await plain(['mem-set', quote(place.domain), `${mib}m`], quick(signal))
      // The list rounds down what it shows.
      const holds = ({ devices }: Observation): boolean =>
        [mib, mib - 1].includes((devices?.memoryBytes ?? 0) / 2 ** 20)
      return showing({
        what: `come to ${mib} MiB of memory`,
        cause: 'guest',
        limit: limits.unplug,
        devices: true,
        holds,
      })
    },
  }

  /** Creates a domain that is not there, or that only waits to be cleared away. */
  async function create({ power }: Observation, signal: AbortSignal): Promise<void> {
    if (power !== 'absent') {
      await awaitSent(vm, vm.kill(signal), signal)
    }
    await plain(['create', place.file], callOf(place, limits.start, signal))
  }
  return vm
}

async function look(place: XlPlace, call: CallOptions): Promise<Observation> {
  const { host, domain } = place
  const text = await host.shell.demand(listCommand, call)
  return observationOf(
    place,
    read(parseList, text, host.id).find(({ name }) => name === domain),
    call,
  )
}

/** What it has, too, in one question to its host. */
async function lookInside(place: XlPlace, call: CallOptions): Promise<Observation> {
  const { host, domain } = place
  const lists = ['block-list', 'network-list'].map(verb => `{ echo ${cut};${xl(verb, quote(domain))}||:;}`)
  const text = await host.shell.demand([`{ ${listCommand};}`, ...lists].join('&&'), call)
  const [list = '', disks = '', cards = ''] = text.split(`${cut}\n`)
  const seen = await observationOf(
    place,
    read(parseList, list, host.id).find(({ name }) => name === domain),
    call,
  )
  return {
    ...seen,
    devices: {
      vcpus: seen.devices?.vcpus ?? null,
      memoryBytes: seen.devices?.memoryBytes ?? null,
      disks: read(parseBlockList, disks, host.id).map(String),
      nics: read(parseNetworkList, cards, host.id),
    },
  }
}

async function observationOf(
  place: XlPlace,
  listed: ListedDomain | undefined,
  call: CallOptions,
): Promise<Observation> {
  const host = place.host.id
  if (listed === undefined) {
    const account = await endOf(place, call)
    return { power: 'absent', said: 'not there', incarnation: null, host, devices: null, account }
  }
  const { state, id, vcpus, memoryMiB } = listed
  const power = powerOfState(state)
  return {
    power,
    said: state,
    incarnation: String(id),
    host,
    devices: { vcpus, memoryBytes: memoryMiB * 2 ** 20, disks: [], nics: [] },
    ...(power === 'ending' ? { account: await endOf(place, call) } : {}),
  }
}

/** Whose end it was: the xl that waits for it writes down why. */
async function endOf({ host, domain }: XlPlace, call: CallOptions): Promise<Account> {
  const log = await host.shell.demand(`tail -n 40 ${quote(watcherLog(domain))}`, call).catch(() => '')
  const reason = parseEnd(log)
  switch (reason) {
    case 'poweroff':
      return { cause: 'guest', why: 'the guest shut itself down' }
    case 'reboot':
      return { cause: 'unknown', why: 'the guest rebooted, and xl did not create it anew' }
    case 'crash':
    case 'watchdog':
      return { cause: 'guest', why: `the guest ended by a ${reason}` }
    default:
      return { cause: 'unknown', why: 'the domain is gone, and the host does not say why' }
  }
}

/** With `-F` the button is pressed of a machine whose guest does not listen to Xen. */
function shutdownCommand({ domain, config }: XlPlace): string {
  const plain = ['shutdown', quote(domain)]
  return modeOf(config) === 'hvm' ? xlOrXm(['shutdown', '-F', quote(domain)], plain) : xl(...plain)
}
