import { basename, resolve as resolvePath } from 'node:path'
import { UsageError } from '../config/errors.js'
import type { Lab, Placement } from '../config/model.js'
import type { Access, Driver } from '../hypervisors/driver.js'
import { pinNameOf, targetsOf } from '../hypervisors/reach.js'
import type { EnvironmentState, InstanceState, RunState } from '../journal/state.js'
import { hasEmulatedGuests } from '../lab/emulated-request.js'
import { findRunningLab } from '../lab/running.js'
import { connectToFirst, furthest, type Machine } from '../remote/index.js'
import { openDrivers } from '../run/drivers.js'
import { type CommandIo, type ParsedArgs, requiredArgument, textFlag } from './args.js'
import { attachTerminal } from './attach-terminal.js'
import { cacheFolder } from './folders.js'
import { refuseForeignLab } from './foreign-lab.js'
import { watchInterrupts } from './interrupts.js'
import { loadLab } from './load-lab.js'
import { findRun, readRun } from './runs.js'

/**
 * `guestcert shell RUN ENVIRONMENT`: logs in to an instance that `--keep` left running. Of the run's folder, which
 * may be a stranger's, only names are used: how to log in, and where, comes from the lab file.
 */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const reports = resolvePath(io.cwd, textFlag(args, 'reports') ?? 'reports')
  const { state, folder } = await readRun(await findRun(requiredArgument(args, 'RUN'), reports, io.cwd))
  const environment = chooseEnvironment(state, requiredArgument(args, 'ENVIRONMENT'))
  const kept = environment.instances.filter(({ ended, peer }) => ended?.kept === true && peer === null).at(-1)
  if (kept === undefined) {
    throw new UsageError(
      `no instance of ${environment.planned.id} was kept: use "guestcert run --keep failed"`,
    )
  }
  const labFile = resolvePath(io.cwd, textFlag(args, 'lab') ?? 'lab.yaml')
  await refuseForeignLab(labFile, folder)
  const lab = await loadLab(labFile, io)
  const interrupts = watchInterrupts(text => io.stderr.write(text), io.signal)
  const emulated = hasEmulatedGuests(lab) ? await findRunningLab(lab, cacheFolder()) : null
  const drivers = openDrivers(lab, cacheFolder(), emulated ?? undefined)
  try {
    const machine = await logIn(lab, environment, kept, drivers, interrupts.any)
    interrupts.close()
    try {
      refuseOtherKey(machine, kept)
      return (await attachTerminal(machine)) === 0 ? 0 : 3
    } finally {
      await machine.close()
    }
  } finally {
    interrupts.close()
    await drivers.close()
  }
}

/** Connects as the run did: the same user, key, pinned host key and jumps. */
async function logIn(
  lab: Lab,
  { planned }: EnvironmentState,
  { id: instance, host: hostId, ended }: InstanceState,
  drivers: ReturnType<typeof openDrivers>,
  signal: AbortSignal,
): Promise<Machine> {
  const [host, guest] = [lab.hosts.get(hostId), lab.guests.get(planned.guest.id)]
  const placement = guest?.on.find(
    on => on.host === hostId && on.configuration.name === planned.configuration.name,
  )
  if (host === undefined || guest === undefined || placement === undefined) {
    throw new UsageError(
      `${basename(lab.file)} has no ${planned.id} on "${hostId}": name the lab file of the run with --lab`,
    )
  }
  const driver = drivers.driverOf(host)
  const request = { instance, guest, placement }
  const access =
    driver.reach?.(request) ??
    (await driver.keptAccess?.(request, signal)) ??
    (await declaredAccess(placement, driver, signal))
  if (access === undefined) {
    throw new UsageError(
      `the lab does not say where ${instance} is: log in by hand${ended?.orphan == null ? '' : `, with ${ended.orphan}`}`,
    )
  }
  const pinnedAs = pinNameOf(guest, placement, instance)
  const targets = targetsOf(guest, access, { limits: lab.limits, signal, pinnedAs })
  const reached = await connectToFirst(targets, { mark: `${lab.name}/${guest.id}/shell` }, signal)
  if (Array.isArray(reached)) throw furthest(reached)
  return reached
}

/** Where the lab says that the guest is, seen from its host where it says that, too. */
async function declaredAccess(
  { endpoint, viaHost }: Placement,
  driver: Driver,
  signal: AbortSignal,
): Promise<Access | undefined> {
  if (endpoint === undefined) return undefined
  const via = viaHost ? await driver.machine?.(signal) : undefined
  return { endpoint, ...(via === undefined ? {} : { via }) }
}

/** Another machine may have its address by now: the one that is meant has the key that the run saw. */
function refuseOtherKey({ hostKey, label }: Machine, { ready }: InstanceState): void {
  if (ready?.hostKey != null && ready.hostKey !== hostKey) {
    throw new UsageError(`${label} has the host key ${hostKey}, and the run saw ${ready.hostKey}`)
  }
}

function chooseEnvironment({ environments }: RunState, wanted: string): EnvironmentState {
  const exact = environments.find(({ planned }) => planned.id === wanted)
  const near = environments.filter(({ planned }) => planned.id.includes(wanted))
  const [only, second] = exact === undefined ? near : [exact]
  if (only === undefined || second !== undefined) {
    const which = second === undefined ? 'no environment' : 'more than one environment'
    const ids = (second === undefined ? environments : near).map(({ planned }) => planned.id)
    throw new UsageError(`"${wanted}" matches ${which} of this run: ${ids.join(', ')}`)
  }
  return only
}
