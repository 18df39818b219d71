import { setTimeout as wait } from 'node:timers/promises'
import { durationMs } from '../api/duration.js'
import type { Host, HostAbility } from '../api/host.js'
import type { PlannedTest } from '../plan/types.js'
import { withLimit } from './limit.js'
import type { GuestSession } from './session.js'
import { powerOnStep, UndoStack } from './undo.js'

/** The host as test modules see it: what its driver can do with this guest. */
export function hostFor(
  session: GuestSession,
  signal: AbortSignal,
  { migrates }: Pick<PlannedTest, 'migrates'> = {},
  undo: UndoStack = new UndoStack(),
): Host {
  const { running, environment, instance } = session.source
  const { vcpus, memoryBytes } = environment.configuration ?? {}
  const act = async <T>(
    name: string,
    action: ((signal: AbortSignal) => Promise<T>) | undefined,
  ): Promise<T> => {
    if (action === undefined) {
      throw new TypeError(`the host cannot ${name} ${instance}: the manifest must name what it needs`)
    }
    const { limits } = session.source
    return await withLimit(
      { name: 'hostAction', ms: limits.hostAction, where: `${name} ${instance}`, cause: 'host', signal },
      action,
    )
  }
  /** The driver's call with what it is given; undefined where the driver has none. */
  const given = <A extends readonly unknown[], T>(
    call: ((...args: [...A, AbortSignal]) => Promise<T>) | undefined,
    ...args: A
  ): ((until: AbortSignal) => Promise<T>) | undefined =>
    call === undefined ? undefined : until => call.call(running, ...args, until)
  const resume = async (): Promise<void> => {
    await act('resume', given(running.resume))
    undo.forget(['resume'])
  }
  return {
    product: environment.hypervisor.product,
    version: environment.hypervisor.version,
    abilities: abilitiesOf(session, migrates === true),
    pause: async options => {
      undo.unlessUndone('resume', given(running.resume))
      await act('pause', given(running.pause))
      if (options !== undefined) {
        await wait(durationMs(options.for), undefined, { signal })
        await resume()
      }
    },
    resume,
    shutdown: async () => {
      undo.unlessUndone(powerOnStep, given(running.powerOn))
      await act('shut down', given(running.shutdown))
    },
    powerOff: async () => {
      undo.unlessUndone(powerOnStep, given(running.powerOn))
      await act('power off', given(running.powerOff))
    },
    powerOn: async () => {
      await act('power on', given(running.powerOn))
      undo.forget([powerOnStep])
    },
    reset: () => act('reset', given(running.reset)),
    snapshot: async name => {
      await act('snapshot', given(running.snapshot, name))
      undo.unlessUndone(`snapshot ${name}`, given(running.deleteSnapshot, name))
    },
    revert: name => act('revert', given(running.revert, name)),
    deleteSnapshot: async name => {
      await act('delete a snapshot of', given(running.deleteSnapshot, name))
      undo.forget([`snapshot ${name}`])
    },
    attachDisk: async sizeBytes => {
      const disk = await act('attach a disk to', given(running.attachDisk, sizeBytes))
      undo.unlessUndone(`disk ${disk.serial}`, given(running.detachDisk, disk.serial))
      return disk
    },
    detachDisk: async serial => {
      await act('detach a disk from', given(running.detachDisk, serial))
      undo.forget([`disk ${serial}`])
    },
    attachNic: async () => {
      const card = await act('attach a card to', given(running.attachNic))
      undo.unlessUndone(`card ${card.mac}`, given(running.detachNic, card.mac))
      return card
    },
    detachNic: async mac => {
      await act('detach a card from', given(running.detachNic, mac))
      undo.forget([`card ${mac}`])
    },
    nmi: () => act('inject an NMI into', given(running.nmi)),
    screenshot: () => act('take a picture of', given(running.screenshot)),
    setVcpus: async count => {
      undo.unlessUndone('vCPUs', vcpus === undefined ? undefined : given(running.setVcpus, vcpus))
      await act('set the vCPUs of', given(running.setVcpus, count))
      if (count === vcpus) undo.forget(['vCPUs'])
    },
    setMemory: async bytes => {
      undo.unlessUndone(
        'memory',
        memoryBytes === undefined ? undefined : given(running.setMemory, memoryBytes),
      )
      await act('set the memory of', given(running.setMemory, bytes))
      if (bytes === memoryBytes) undo.forget(['memory'])
    },
    // Only where the plan knows of it are there room and a lease for it on the second host.
    migrate: async () => (await act('migrate', migrates === true ? given(running.migrate) : undefined)).host,
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
