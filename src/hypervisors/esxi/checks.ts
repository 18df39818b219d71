import { contradiction, observedHypervisors } from '../../config/observed.js'
import type { Check, CheckRequest } from '../driver.js'
import { capacityChecks, inMib, seenIf } from '../seen.js'
import { askOnce } from '../shared/ask-once.js'
import type { CallOptions } from '../shared/host-commands.js'
import { findDeclared } from './clean-state.js'
import { diskFacts } from './clone.js'
import { observeHost } from './facts.js'
import { ask, type EsxiHost } from './host.js'
import { parseTable } from './output.js'
import { findSnapshot } from './snapshots.js'

/** What must be well on a host before its guests are made; none of it changes anything. */
export function esxiChecks(host: EsxiHost, { host: declared, guests, freeBytes }: CheckRequest): Check[] {
  const call = (signal: AbortSignal): CallOptions => {
    return { signal, limit: host.limits.command, where: host.id }
  }
  const observed = askOnce(signal => observeHost(host, call(signal)))
  const copies = guests.some(({ placement }) => placement.clean.kind === 'copy')
  return [
    {
      name: 'hostd',
      asked: 'an answer to vim-cmd and esxcli, not in maintenance',
      after: ['login'],
      carryOut: async signal => {
        const { facts, inMaintenance } = await observed(signal)
        return seenIf(!inMaintenance, inMaintenance ? 'in maintenance mode' : (facts.hypervisor ?? ''))
      },
    },
    {
      name: 'version',
      asked: `${declared.product} ${declared.version}`,
      after: ['hostd'],
      carryOut: async signal => {
        const { facts } = await observed(signal)
        const isSame = contradiction(declared, observedHypervisors(facts)) === null
        return seenIf(isSame, facts.hypervisor ?? '')
      },
    },
    ...capacityChecks(declared.capacity, ['hostd'], observed),
    ...(copies ? [storage(host, freeBytes, call)] : []),
    ...guests.map(({ placement }): Check => {
      const { clean, vm } = placement
      const what = clean.kind === 'snapshot' ? clean.name : clean.kind === 'copy' ? clean.path : null
      return {
        name: 'clean state',
        placement,
        asked: what === null ? `the VM ${vm}` : `${what}, and the VM ${vm}`,
        after: ['hostd'],
        carryOut: async signal => {
          const { place } = await findDeclared(host, { instance: host.id, placement }, call(signal))
          if (clean.kind === 'copy') {
            const { 'image content id': id } = await diskFacts(place, clean.path, call(signal))
            return seenIf(true, id ?? 'there')
          }
          const snapshot = clean.kind === 'snapshot' ? await findSnapshot(place, clean.name, signal) : null
          return seenIf(true, snapshot === null ? place.file : `made ${snapshot.madeAt}`)
        },
      }
    }),
  ]
}

/** Room for copies lies in the datastores. */
function storage(host: EsxiHost, freeBytes: number, call: (signal: AbortSignal) => CallOptions): Check {
  return {
    name: 'storage',
    asked: `${inMib(freeBytes)} free in a datastore`,
    after: ['hostd'],
    carryOut: async signal => {
      const command = 'esxcli --formatter=csv storage filesystem list'
      const all = await ask(host, command, parseTable, call(signal))
      const free = all
        .filter(row => row.get('Mounted') === 'true' && /^(?:VMFS|NFS|vsan)/i.test(row.get('Type') ?? ''))
        .map(row => ({ name: row.get('VolumeName') || row.get('UUID'), bytes: Number(row.get('Free')) }))
      const most = free.sort((a, b) => b.bytes - a.bytes)[0]
      return most === undefined
        ? seenIf(false, 'there is no datastore')
        : seenIf(most.bytes >= freeBytes, `${inMib(most.bytes)} in ${most.name}`)
    },
  }
}
