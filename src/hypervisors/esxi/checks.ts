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
export function esxiChecks(host: EsxiHost, request: CheckRequest): Check[] {
  const { host: declared, guests } = request
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
    ...(copies ? [storage(host, request, call)] : []),
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

/** A copy lies in the datastore of the VM that it is made after. */
function storage(
  host: EsxiHost,
  { guests, freeBytes }: Pick<CheckRequest, 'guests' | 'freeBytes'>,
  call: (signal: AbortSignal) => CallOptions,
): Check {
  return {
    name: 'storage',
    asked: `${inMib(freeBytes)} free where copies are made`,
    after: ['hostd'],
    carryOut: async signal => {
      const used = new Set<string>()
      for (const { placement } of guests.filter(each => each.placement.clean.kind === 'copy')) {
        const { place } = await findDeclared(host, { instance: host.id, placement }, call(signal))
        used.add(/^\[(.+?)\]/.exec(place.file)?.[1] ?? '')
      }
      const command = 'esxcli --formatter=csv storage filesystem list'
      const all = await ask(host, command, parseTable, call(signal))
      const found = all
        .filter(row => row.get('Mounted') === 'true' && used.has(row.get('VolumeName') ?? ''))
        .map(row => ({ name: row.get('VolumeName'), bytes: Number(row.get('Free')) }))
      const [least] = found.sort((a, b) => a.bytes - b.bytes)
      return least === undefined || found.length < used.size
        ? seenIf(false, `not mounted, of ${[...used].join(', ')}`)
        : seenIf(least.bytes >= freeBytes, `${inMib(least.bytes)} in ${least.name}`)
    },
  }
}
