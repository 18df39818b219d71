import type { Check, CheckRequest, Seen } from '../driver.js'
import { capacityChecks, seenIf, seenVersion } from '../seen.js'
import { readObject } from './api/properties.js'
import { accountOf, type HostAccount } from './facts.js'
import { findSnapshot } from './snapshots.js'
import { numberAt, textAt } from './soap/element.js'
import type { CallOptions } from './soap/session.js'
import { usableMachine } from './usable.js'
import type { VsphereHost } from './vm.js'

/** What must be well at a host and its site before guests are started; none of it changes anything. */
export function vsphereChecks(host: VsphereHost, { host: declared, guests }: CheckRequest): Check[] {
  const options = (signal: AbortSignal): CallOptions => {
    return { signal, limit: host.limits.command, where: host.id }
  }
  let asked: Promise<HostAccount> | null = null
  const account = (signal: AbortSignal): Promise<HostAccount> => (asked ??= accountOf(host, options(signal)))
  return [
    {
      name: 'login',
      asked: `a session with ${host.site.session.url}`,
      after: [],
      carryOut: async signal => {
        const { about } = await host.site.session.content(options(signal))
        return seenIf(true, about.fullName ?? about.name ?? 'logged in')
      },
    },
    {
      name: 'host',
      asked: 'connected, and not in maintenance',
      after: ['login'],
      carryOut: async signal => {
        const { connectionState, inMaintenance } = await account(signal)
        const isWell = connectionState === 'connected' && !inMaintenance
        return seenIf(isWell, inMaintenance ? 'in maintenance mode' : connectionState)
      },
    },
    {
      name: 'version',
      asked: `ESXi ${declared.version}`,
      after: ['host'],
      carryOut: async signal =>
        seenVersion(declared.version, textAt((await account(signal)).product, 'version') ?? null),
    },
    ...capacityChecks(declared.capacity, ['host'], async signal => {
      const { hardware } = await account(signal)
      return {
        cpus: numberAt(hardware, 'numCpuThreads') ?? 0,
        memoryBytes: numberAt(hardware, 'memorySize') ?? 0,
      }
    }),
    ...guests.flatMap(({ placement }) => guestChecks(host, placement, options)),
  ]
}

function guestChecks(
  host: VsphereHost,
  placement: CheckRequest['guests'][number]['placement'],
  options: (signal: AbortSignal) => CallOptions,
): Check[] {
  const { clean, vm = '' } = placement
  const snapshot = clean.kind === 'snapshot' ? clean.name : clean.kind === 'none' ? null : clean.path
  const { session } = host.site
  const machine: Check = {
    name: 'vm',
    placement,
    asked: `the virtual machine ${vm}`,
    after: ['host'],
    carryOut: async signal => {
      const self = await usableMachine(host, vm, placement, options(signal))
      const read = await readObject(session, self, ['runtime.powerState'], options(signal))
      return seenIf(true, read?.text('runtime.powerState') ?? 'there')
    },
  }
  if (snapshot === null) {
    return [machine]
  }
  const cleanState: Check = {
    name: 'clean state',
    placement,
    asked: `the snapshot ${snapshot}`,
    after: ['vm'],
    carryOut: async (signal): Promise<Seen> => {
      const self = await usableMachine(host, vm, placement, options(signal))
      const { madeAt, state } = await findSnapshot(session, self, snapshot, options(signal))
      const { isVcenter } = await session.content(options(signal))
      const canClone = clean.kind === 'snapshot' || isVcenter
      return seenIf(canClone, canClone ? `made ${madeAt}, ${state}` : 'an ESXi host by itself cannot clone')
    },
  }
  return [machine, cleanState]
}
