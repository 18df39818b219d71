import { posix } from 'node:path'
import { InfraError } from '../../config/errors.js'
import type { Host, Placement } from '../../config/model.js'
import { quote } from '../../remote/index.js'
import { type CallOptions, hostError } from '../shared/host-commands.js'
import { isActive } from '../shared/power-state.js'
import { machineFiles } from './domain.js'
import { logFolder } from './evidence.js'
import { domainXml, type LibvirtHost, type Location, stateOf } from './host.js'
import { ownFiles } from './own-files.js'

/** The two hosts that a domain may be on, and how the first one's virsh speaks to the other's libvirt. */
export interface Route {
  readonly first: LibvirtHost
  readonly second: LibvirtHost
  readonly secondUri: string
  /** Moves it though libvirt does not know the file system of its disks for a shared one. */
  readonly unsafe: boolean
}

/** Which domain is moved. */
export interface Move {
  readonly location: Location
  readonly route: Route
  readonly domain: string
  readonly instance: string
  readonly clean: Placement['clean']
}

const never = new AbortController().signal

/**
 * How another host reaches a host's libvirt: over SSH, as the lab does. It asks nobody for a password
 * (`no_tty`, https://libvirt.org/uri.html#ssh-transport).
 */
export function migrationUri({ id, connect }: Pick<Host, 'id' | 'connect'>): string {
  if (connect === undefined) {
    throw new InfraError(`host ${id}: it cannot be moved to without "connect": how to reach it over SSH`, {
      cause: 'runner',
      where: id,
      code: 'driver',
    })
  }
  const { host, port } = connect.endpoint
  const name = host.includes(':') ? `[${host}]` : host
  const user = encodeURIComponent(connect.login.user)
  return `qemu+ssh://${user}@${name}${port === 22 ? '' : `:${port}`}/system?no_tty=1`
}

/**
 * Moves a running domain to the other of its hosts, definition and all. Afterwards its location says where it is, also
 * when it was refused or lost on the way: then it throws InfraError that names both hosts.
 */
export async function moveDomain(move: Move, call: CallOptions): Promise<void> {
  const { location, route, domain, instance } = move
  const { first, second, secondUri, unsafe } = route
  const from = location.host
  const to = from === first ? second : first
  const quick = { ...call, limit: from.limits.command }
  await checkShared(move, from, to, quick)
  // The first host's virsh speaks to both: it alone needs a way to the other one's libvirt.
  const [source, target] = from === first ? [first.virsh.uri, secondUri] : [secondUri, first.virsh.uri]
  const flags = ['--live', '--persistent', '--undefinesource', ...(unsafe ? ['--unsafe'] : [])]
  const command = first.virsh.words(['migrate', ...flags, domain, target], source)
  location.hasMoved = true
  try {
    await first.virsh.demand(command, { ...call, limit: from.limits.migrate })
  } catch (error) {
    await giveUp(move, from, to)
    const why = error instanceof Error ? error.message : String(error)
    const context =
      error instanceof InfraError ? error.context : { cause: 'host' as const, code: 'driver' as const }
    const message = `${instance}: moving it from ${from.id} to ${to.id} failed, it is on ${location.host.id}: ${why}`
    throw new InfraError(message, { ...context, where: instance })
  }
  location.host = to
  const arrived = await stateOf(to, domain, { ...call, limit: to.limits.command })
  const left = await stateOf(from, domain, quick)
  if (arrived === null || !isActive(arrived.state) || left !== null) {
    const said = `on ${to.id} it is ${arrived?.state ?? 'not there'}, on ${from.id} ${left?.state ?? 'not there'}`
    throw hostError(instance, `${instance}: after moving it from ${from.id} to ${to.id}, ${said}`)
  }
}

/** Ends a move that failed or was cancelled, and finds out where the domain is now. */
async function giveUp(
  { location, domain, instance }: Move,
  from: LibvirtHost,
  to: LibvirtHost,
): Promise<void> {
  const on = (host: LibvirtHost): CallOptions => {
    return { signal: never, limit: host.limits.command, where: instance }
  }
  // Refused where nothing is under way any more.
  await from.virsh.ask(['domjobabort', domain], on(from)).catch(() => {})
  const states = [from, to].map(host => stateOf(host, domain, on(host)).catch(() => undefined))
  const [here, there] = await Promise.all(states)
  const runs = (answer: typeof here): boolean => answer != null && isActive(answer.state)
  // On its way it is `paused` there; only when it is known to run here no more has it arrived.
  if (here !== undefined && !runs(here) && runs(there)) {
    location.host = to
  }
}

/**
 * Throws InfraError unless both hosts have the files of the machine: what is the instance's own in the very same
 * folders, which is tried with a file, and all else under the same name.
 */
async function checkShared(move: Move, from: LibvirtHost, to: LibvirtHost, call: CallOptions): Promise<void> {
  const { domain, instance, clean } = move
  const xml = await domainXml(from, domain, 'live', call)
  const own = ownFiles(xml, instance).filter(file => posix.dirname(file) !== logFolder)
  const where = `${instance}: it cannot be moved from ${from.id} to ${to.id}`
  for (const folder of new Set(own.map(file => posix.dirname(file)))) {
    const mark = posix.join(folder, `${instance}.shared`)
    const words = `${instance} ${Date.now()}`
    try {
      await from.virsh.demand(`printf %s ${quote(words)} >${quote(mark)}`, call)
      const { stdout } = await to.virsh.run(`cat ${quote(mark)} 2>/dev/null`, call)
      if (stdout.text !== words) {
        throw hostError(instance, `${where}: they do not share the folder ${folder}, which its disks are in`)
      }
    } finally {
      await from.virsh.run(`rm -f ${quote(mark)}`, { ...call, signal: never })
    }
  }
  const base = clean.kind === 'overlay' ? [clean.path] : []
  const others = [...new Set([...machineFiles(xml), ...base])].filter(file => !own.includes(file))
  const looks = others.map(file => `[ -r ${quote(file)} ]||echo ${quote(file)}`)
  const missing = (await to.virsh.demand([...looks, ':'].join(';'), call)).trim()
  if (missing !== '') {
    throw hostError(instance, `${where}: not there on ${to.id}: ${missing.split('\n').join(', ')}`)
  }
}
