import { setTimeout as wait } from 'node:timers/promises'
import { durationMs } from '../api/duration.js'
import type { Host, HostAbility } from '../api/host.js'
import { withDeadline } from '../deadline/deadline.js'
import type { RunningGuest } from '../hypervisors/driver.js'
import type { PlannedTest } from '../plan/types.js'
import type { GuestSession } from './session.js'
import { powerOnStep, UndoStack } from './undo.js'

/** What may be asked of the host, by the name of the driver's call. */
type Action = Exclude<
  {
    [N in keyof RunningGuest]-?: NonNullable<RunningGuest[N]> extends Acting ? N : never
  }[keyof RunningGuest],
  'access' | 'stop'
>
type Acting = (...args: never[]) => Promise<unknown>
type Call<N extends Action> = Extract<RunningGuest[N], Acting>
type ResultOf<N extends Action> = Awaited<ReturnType<Call<N>>>
type ArgumentsOf<N extends Action> = Parameters<Call<N>> extends [...infer A, AbortSignal] ? A : never

/** The host as test modules see it: what its driver can do with this guest. */
export function hostFor(
  session: GuestSession,
  signal: AbortSignal,
  { migrates }: Pick<PlannedTest, 'migrates'> = {},
  undo: UndoStack = new UndoStack(),
): Host {
  const { running, environment, held, instance } = session.source
  const { vcpus, memoryBytes } = environment.configuration ?? {}
  const act = async <T>(
    name: string,
    action: ((signal: AbortSignal) => Promise<T>) | undefined,
  ): Promise<T> => {
    if (action === undefined) {
      throw new TypeError(`the host cannot ${name} ${instance}: the manifest must name what it needs`)
    }
    const { limits } = session.source
    return await withDeadline(
      { name: 'hostAction', ms: limits.hostAction, where: `${name} ${instance}`, cause: 'host', signal },
      action,
    )
  }
  /** The driver's call with what it is given; undefined where the driver has none. */
  const given = <N extends Action>(
    name: N,
    ...args: ArgumentsOf<N>
  ): ((until: AbortSignal) => Promise<ResultOf<N>>) | undefined => {
    const call = running[name] as ((...all: readonly unknown[]) => Promise<ResultOf<N>>) | undefined
    return call === undefined
      ? undefined
      : until => held.during(name, session.machine, until, () => call.call(running, ...args, until))
  }
  const resume = async (): Promise<void> => {
    await act('resume', given('resume'))
    undo.forget(['resume'])
  }
  return {
    product: environment.hypervisor.product,
    version: environment.hypervisor.version,
    abilities: abilitiesOf(session, migrates === true),
    pause: async options => {
      undo.unlessUndone('resume', given('resume'))
      await act('pause', given('pause'))
      if (options !== undefined) {
        await wait(durationMs(options.for), undefined, { signal })
        await resume()
      }
    },
    resume,
    shutdown: async () => {
      undo.unlessUndone(powerOnStep, given('powerOn'))
      await act('shut down', given('shutdown'))
    },
    powerOff: async () => {
      undo.unlessUndone(powerOnStep, given('powerOn'))
      await act('power off', given('powerOff'))
    },
    powerOn: async () => {
      await act('power on', given('powerOn'))
      undo.forget([powerOnStep])
    },
    reset: () => act('reset', given('reset')),
    snapshot: async name => {
      await act('snapshot', given('snapshot', name))
      undo.unlessUndone(`snapshot ${name}`, given('deleteSnapshot', name))
    },
    revert: name => act('revert', given('revert', name)),
    deleteSnapshot: async name => {
      await act('delete a snapshot of', given('deleteSnapshot', name))
      undo.forget([`snapshot ${name}`])
    },
    attachDisk: async sizeBytes => {
      const disk = await act('attach a disk to', given('attachDisk', sizeBytes))
      undo.unlessUndone(`disk ${disk.serial}`, given('detachDisk', disk.serial))
      return disk
    },
    detachDisk: async serial => {
      await act('detach a disk from', given('detachDisk', serial))
      undo.forget([`disk ${serial}`])
    },
    attachNic: async () => {
      const card = await act('attach a card to', given('attachNic'))
      undo.unlessUndone(`card ${card.mac}`, given('detachNic', card.mac))
      return card
    },
    detachNic: async mac => {
      await act('detach a card from', given('detachNic', mac))
      undo.forget([`card ${mac}`])
    },
    nmi: async () => {
      session.nmiIn = session.identity
      await act('inject an NMI into', given('nmi'))
    },
    screenshot: () => act('take a picture of', given('screenshot')),
    setVcpus: async count => {
      undo.unlessUndone('vCPUs', vcpus === undefined ? undefined : given('setVcpus', vcpus))
      await act('set the vCPUs of', given('setVcpus', count))
      if (count === vcpus) undo.forget(['vCPUs'])
    },
    setMemory: async bytes => {
      undo.unlessUndone('memory', memoryBytes === undefined ? undefined : given('setMemory', memoryBytes))
      await act('set the memory of', given('setMemory', bytes))
      if (bytes === memoryBytes) undo.forget(['memory'])
    },
    // Only where the plan knows of it are there room and a lease for it on the second host.
    migrate: async () => (await act('migrate', migrates === true ? given('migrate') : undefined)).host,
  }
}

/** What the running guest's driver offers of it, whatever was planned. */
function abilitiesOf({ source: { running } }: GuestSession, migrates: boolean): ReadonlySet<HostAbility> {
  const offered: readonly (readonly [HostAbility, unknown])[] = [
    ['attach-disk', running.attachDisk],
    ['attach-nic', running.attachNic],
    ['console', running.console],
    ['migrate', migrates ? running.migrate : undefined],
    ['nmi', running.nmi],
    ['pause', running.pause],
    ['reset', running.reset],
    ['revert', running.revert],
    ['screenshot', running.screenshot],
    ['set-memory', running.setMemory],
    ['set-vcpus', running.setVcpus],
    ['snapshot', running.snapshot],
    ['stop', running.powerOn],
  ]
  return new Set(offered.flatMap(([name, action]) => (action === undefined ? [] : [name])))
}
