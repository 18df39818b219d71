import { contradiction, observedHypervisors } from '../../config/observed.js'
import type { Check, CheckRequest } from '../driver.js'
import { capacityChecks, inMib, seenIf } from '../seen.js'
import { askOnce } from '../shared/ask-once.js'
import type { CallOptions } from '../shared/host-commands.js'
import { findDeclared, findSnapshot } from './clean-state.js'
import { type ObservedHost, observeHost } from './facts.js'
import { askLists, type XenServerHost, xe } from './host.js'
import { fieldOf, numberOf } from './output.js'

/** What must be well on a host before its guests are made; none of it changes anything. */
export function xenServerChecks(
  host: XenServerHost,
  { host: declared, guests, freeBytes }: CheckRequest,
): Check[] {
  const call = (signal: AbortSignal): CallOptions => {
    return { signal, limit: host.limits.command, where: host.id }
  }
  const observed = askOnce((signal): Promise<ObservedHost> => observeHost(host, call(signal)))
  const clones = guests.some(({ placement }) => placement.clean.kind === 'overlay')
  return [
    {
      name: 'xe',
      asked: 'an answer from xapi',
      after: ['login'],
      carryOut: async signal => seenIf(true, (await observed(signal)).facts.hypervisor ?? ''),
    },
    {
      name: 'version',
      asked: `${declared.product} ${declared.version}`,
      after: ['xe'],
      carryOut: async signal => {
        const { facts } = await observed(signal)
        const isSame = contradiction(declared, observedHypervisors(facts)) === null
        return seenIf(isSame, facts.hypervisor ?? '')
      },
    },
    ...capacityChecks(declared.capacity, ['xe'], observed),
    ...(clones ? [storage(host, freeBytes, call)] : []),
    ...guests.map(({ placement }): Check => {
      const { clean, vm } = placement
      const what = clean.kind === 'snapshot' ? clean.name : clean.kind === 'overlay' ? clean.path : null
      return {
        name: 'clean state',
        placement,
        asked: what === null ? `the VM ${vm}` : `${what} of the VM ${vm}`,
        after: ['xe'],
        carryOut: async signal => {
          const found = await findDeclared(host, { instance: host.id, placement }, call(signal))
          const uuid = fieldOf(found, 'uuid')
          if (what === null || what === fieldOf(found, 'name-label') || what === uuid) {
            return seenIf(true, uuid)
          }
          const place = { host, second: null, instance: host.id, uuid }
          return seenIf(true, await findSnapshot(place, what, signal))
        },
      }
    }),
  ]
}

/** Room for clones lies in the repositories that are not for CDs. */
function storage(host: XenServerHost, freeBytes: number, call: (signal: AbortSignal) => CallOptions): Check {
  return {
    name: 'storage',
    asked: `${inMib(freeBytes)} free in a storage repository`,
    after: ['xe'],
    carryOut: async signal => {
      const command = xe(
        'sr-list',
        'content-type=user',
        'params=uuid,name-label,physical-size,physical-utilisation',
      )
      const [all = []] = await askLists(host, [command], call(signal))
      const free = all.map(record => ({
        name: fieldOf(record, 'name-label'),
        bytes: (numberOf(record, 'physical-size') ?? 0) - (numberOf(record, 'physical-utilisation') ?? 0),
      }))
      const most = free.sort((a, b) => b.bytes - a.bytes)[0]
      return most === undefined
        ? seenIf(false, 'there is no storage repository for disks')
        : seenIf(most.bytes >= freeBytes, `${inMib(most.bytes)} in ${most.name}`)
    },
  }
}
