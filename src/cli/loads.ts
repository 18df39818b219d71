import type { Lab } from '../config/model.js'
import type { HostLoad } from '../lab/emulated.js'

/** The peak usage of emulated hosts by their own count, beside their capacity in the lab: a line each. */
export function loadsText(loads: readonly HostLoad[], lab: Pick<Lab, 'hosts'>): string {
  return loads
    .map(({ name, guests, vcpus, memoryBytes }) => {
      const capacity = lab.hosts.get(name)?.capacity
      const parts = [
        count(guests, capacity?.guests, 'guests'),
        count(vcpus, capacity?.vcpus, 'vCPUs'),
        count(mebibytes(memoryBytes), mebibytes(capacity?.memoryBytes), 'MiB'),
      ]
      return `emulated host ${name}: peak usage ${parts.join(', ')}\n`
    })
    .join('')
}

function count(most: number | undefined, limit: number | undefined, unit: string): string {
  return limit === undefined || !Number.isFinite(limit) ? `${most} ${unit}` : `${most} of ${limit} ${unit}`
}

function mebibytes(bytes: number): number
function mebibytes(bytes: number | undefined): number | undefined
function mebibytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : Math.round(bytes / 2 ** 20)
}
