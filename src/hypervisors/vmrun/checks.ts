import { posix } from 'node:path'
import { contradiction, observedHypervisors } from '../../config/observed.js'
import { quote } from '../../remote/index.js'
import type { Check, CheckRequest } from '../driver.js'
import { capacityChecks, inMib, seenIf } from '../seen.js'
import { askOnce } from '../shared/ask-once.js'
import type { CallOptions } from '../shared/host-commands.js'
import { findDeclared } from './clean-state.js'
import { observeHost } from './facts.js'
import { demandOf, listRunning, type VmrunHost } from './host.js'
import { parseRunning } from './output.js'
import { demandSnapshot } from './snapshots.js'

/** What must be well on a host before its guests are made; none of it changes anything. */
export function vmrunChecks(host: VmrunHost, { host: declared, guests, freeBytes }: CheckRequest): Check[] {
  const call = (signal: AbortSignal): CallOptions => {
    return { signal, limit: host.limits.command, where: host.id }
  }
  const observed = askOnce(signal => observeHost(host, call(signal)))
  return [
    {
      name: 'vmrun',
      asked: 'an answer from vmrun, not of VMware Server',
      after: ['login'],
      carryOut: async signal => {
        const { facts } = await observed(signal)
        const running = await demandOf(host.shell, listRunning, parseRunning, call(signal))
        return seenIf(true, `${facts.hypervisor}, ${running.length} running`)
      },
    },
    {
      name: 'version',
      asked: `${declared.product} ${declared.version}`,
      after: ['vmrun'],
      carryOut: async signal => {
        const { facts } = await observed(signal)
        const isSame = contradiction(declared, observedHypervisors(facts)) === null
        return seenIf(isSame, facts.hypervisor ?? '')
      },
    },
    ...capacityChecks(declared.capacity, ['vmrun'], observed),
    ...guests.flatMap(({ placement }): Check[] => {
      const { clean, vm = '' } = placement
      const name = clean.kind === 'none' ? null : clean.kind === 'snapshot' ? clean.name : clean.path
      const folder = posix.dirname(posix.dirname(vm))
      const storage: Check = {
        name: 'storage',
        placement,
        asked: `${inMib(freeBytes)} free in ${folder}`,
        after: ['vmrun'],
        carryOut: async signal => {
          const text = await host.shell.demand(`df -P -k ${quote(folder)}`, call(signal))
          const free = Number(text.trim().split('\n').at(-1)?.split(/\s+/)[3]) * 1024
          return seenIf(free >= freeBytes, inMib(free))
        },
      }
      const cleanState: Check = {
        name: 'clean state',
        placement,
        asked: name === null ? `the VM ${vm}` : `the snapshot ${name} of the VM ${vm}`,
        after: ['vmrun'],
        carryOut: async signal => {
          const { place } = await findDeclared(host, { instance: host.id, placement }, call(signal))
          if (name !== null) {
            await demandSnapshot(place, name, signal)
          }
          return seenIf(true, place.file)
        },
      }
      return clean.kind === 'overlay' || clean.kind === 'copy' ? [storage, cleanState] : [cleanState]
    }),
  ]
}
