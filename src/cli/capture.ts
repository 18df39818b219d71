import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { UsageError } from '../config/errors.js'
import type { Guest, Host, Lab, Placement } from '../config/model.js'
import { nearest } from '../config/nearest.js'
import { packageVersion } from '../config/package-root.js'
import { withDeadline } from '../deadline/deadline.js'
import { UndoStack } from '../engine/undo.js'
import { connectToGuest, pinNameOf } from '../hypervisors/reach.js'
import { type Captured, capture, slug } from '../lab/capture/capture.js'
import { anyOf } from '../remote/index.js'
import { openDrivers } from '../run/drivers.js'
import { argument, type CommandIo, type ParsedArgs, requiredArgument, textFlag } from './args.js'
import { captureOneHost } from './capture-host.js'
import { personaName, personasFolder, writePersona } from './capture-output.js'
import { cacheFolder } from './folders.js'
import { watchInterrupts } from './interrupts.js'
import { loadLab } from './load-lab.js'

/** A guest on one of its hosts. */
interface Chosen {
  readonly lab: Lab
  readonly guest: Guest
  readonly host: Host
  readonly placement: Placement
}

/**
 * `guestcert capture LAB GUEST`: makes personas of a live guest and of what it sees of its hypervisor.
 * `guestcert capture LAB --host HOST`: makes a persona of a host itself.
 */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const lab = await loadLab(resolve(io.cwd, requiredArgument(args, 'LAB')), io)
  const guestId = argument(args, 'GUEST')
  if (guestId === undefined) {
    return captureOneHost(lab, args, io)
  }
  const chosen = choose(lab, guestId, textFlag(args, 'host'))
  const name = personaName(textFlag(args, 'name') ?? slug(chosen.guest.id))
  const folder = personasFolder(lab, args, io)
  const interrupts = watchInterrupts(text => io.stderr.write(text), io.signal)
  try {
    const signal = interrupts.any
    const { guest, host, warnings } = await captureLive(chosen, name, signal, io)
    for (const warning of warnings) {
      io.stderr.write(`${chosen.guest.id}: ${warning}\n`)
    }
    await writePersona(join(folder, `${guest.name}.yaml`), guest.text, io)
    if (host !== null) {
      await writePersona(join(folder, 'hosts', `${host.name}.yaml`), host.text, io)
    }
    return 0
  } finally {
    interrupts.close()
  }
}

/** Finds the guest and the host that it is captured on. Throws UsageError. */
function choose(lab: Lab, guestId: string, hostId: string | undefined): Chosen {
  const guest = lab.guests.get(guestId)
  if (guest === undefined) {
    const near = nearest(guestId, [...lab.guests.keys()])
    const hint =
      near === null ? `the lab has ${[...lab.guests.keys()].join(', ')}` : `did you mean "${near}"?`
    throw new UsageError(`unknown guest "${guestId}": ${hint}`)
  }
  if (guest.emulated !== undefined) {
    throw new UsageError(`guest "${guestId}" is emulated: only a live guest can be captured`)
  }
  if (guest.family !== 'linux') {
    throw new UsageError(`guest "${guestId}" is a ${guest.family} guest: only Linux guests can be captured`)
  }
  const placements = guest.on.filter(on => hostId === undefined || on.host === hostId)
  const [placement, second] = placements
  const host = lab.hosts.get(placement?.host ?? '')
  const hosts = guest.on.map(on => on.host).join(', ')
  if (placement === undefined || host === undefined) {
    throw new UsageError(`guest "${guestId}" is not on "${hostId}": it is on ${hosts}`)
  }
  if (second !== undefined) {
    throw new UsageError(`guest "${guestId}" is on several hosts: choose one with --host (${hosts})`)
  }
  return { lab, guest, host, placement }
}

/** Brings the guest up as a run does, captures it, and undoes all of it, whatever happened. */
async function captureLive(
  chosen: Chosen,
  name: string,
  signal: AbortSignal,
  io: CommandIo,
): Promise<Captured> {
  const { lab, guest, host, placement } = chosen
  const { limits } = lab
  const drivers = openDrivers(lab, cacheFolder())
  const undo = new UndoStack()
  const evidenceFolder = await mkdtemp(join(tmpdir(), 'guestcert-capture-'))
  undo.push('evidence', () => rm(evidenceFolder, { recursive: true, force: true }))
  undo.push('drivers', () => drivers.close())
  const instance = `gc-capture-${randomBytes(4).toString('hex')}`
  const boot = { name: 'boot', ms: limits.boot, where: instance, cause: 'host', signal } as const
  try {
    const driver = drivers.driverOf(host)
    io.stderr.write(`${guest.id}: starting on ${host.id}\n`)
    const request = { instance, guest, placement, evidenceFolder, limits }
    const prepared = driver.instance(request)
    undo.push('remove', until => prepared.remove(until))
    await withDeadline(boot, until => prepared.prepare(until))
    const startedAt = performance.now()
    const running = await withDeadline(boot, until => prepared.start(until))
    undo.push('stop', until => running.stop(until))
    const ends = anyOf(signal, running.gone)
    const machine = await connectToGuest(guest, running, {
      pinnedAs: pinNameOf(guest, placement, instance),
      limits,
      signal: ends.signal,
      options: {
        mark: `${lab.name}/${guest.id}/${host.id}/${instance}`,
        refusalsMs: host.driver.startsGuests ? limits.boot : limits.login,
      },
    }).finally(ends.clear)
    const { endpoint, via } = await running.access(signal)
    undo.push('disconnect', () => machine.close())
    io.stderr.write(`${guest.id}: capturing\n`)
    return await capture({
      machine,
      endpoint,
      isInside: via !== undefined,
      guest,
      host,
      placement,
      name,
      limits,
      signal,
      bootedInMs: host.driver.startsGuests ? performance.now() - startedAt : null,
      program: `guestcert ${packageVersion()}`,
      now: new Date(),
    })
  } finally {
    const { left } = await undo.undoAll(limits.undo)
    if (left !== null) {
      io.stderr.write(`${guest.id}: teardown failed: ${left}\n`)
    }
  }
}
