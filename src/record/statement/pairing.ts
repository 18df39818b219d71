import { confirms, observedGuest, observedHypervisors } from '../../config/observed.js'
import { parseSizeBytes } from '../../config/units.js'
import type { PlannedEnvironment } from '../../plan/types.js'
import type { Pairing } from './types.js'

type Facts = Readonly<Record<string, string>>

/** A pairing as far as it was seen. */
export interface ObservedPairing {
  readonly pairing: Pairing
  readonly guest: boolean
  readonly hypervisor: boolean
  readonly configuration: readonly string[]
  readonly contradictions: readonly string[]
}

/**
 * The pairing of an environment. Where guest, host and machine showed something themselves it is that, and nothing of it
 * is a name from the lab: a renamed guest is the same pairing.
 */
export function pairingOf(planned: PlannedEnvironment, machine: Facts, host: Facts): ObservedPairing {
  const { guest, hypervisor } = planned
  const { name: _name, ...declared } = planned.configuration
  const seen = seenConfiguration(machine, host)
  const seenGuest = observedGuest(machine)
  const contradictions = Object.entries(seen).flatMap(([key, value]) => {
    const wanted = (declared as Readonly<Record<string, unknown>>)[key]
    const isOther = wanted !== undefined && !agrees(String(wanted), String(value))
    return isOther ? [`${key} is ${value}, and not ${wanted}`] : []
  })
  return {
    pairing: {
      guest: { product: guest.product, version: guest.version, edition: guest.edition, arch: guest.arch },
      hypervisor: { product: hypervisor.product, version: hypervisor.version },
      configuration: { ...declared, ...seen },
    },
    guest: seenGuest !== null && guest.product !== 'linux' && confirms(guest, seenGuest),
    hypervisor: observedHypervisors({ ...machine, ...host }).some(one => confirms(hypervisor, one)),
    configuration: Object.keys(seen).sort(),
    contradictions,
  }
}

/** The virtual hardware that host and machine showed, by the names of the configuration. */
function seenConfiguration(machine: Facts, host: Facts): Record<string, string | number> {
  const seen: Record<string, string | number | undefined> = {
    accelerator: acceleratorOf(machine, host),
    vcpus: machine['vm vcpus'] === undefined ? undefined : Number(machine['vm vcpus']),
    memoryBytes: parseSizeBytes((machine['vm memory'] ?? '').replace(' ', '')) ?? undefined,
    firmware: machine.firmware,
    disk: machine.disk,
    nic: machine.nic,
    machine: machine.machine,
  }
  return Object.fromEntries(
    Object.entries(seen).filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  )
}

/** What carries out the guest's instructions. A QEMU that has not enabled KVM is `tcg`, whatever else is said of it. */
function acceleratorOf(machine: Facts, host: Facts): string | undefined {
  if (machine['kvm enabled'] === 'false') return 'tcg'
  if ((machine.accelerator ?? '') !== '') return machine.accelerator
  if (host['xen version'] !== undefined) return 'xen'
  // It runs guests on the processor alone.
  return host.product === 'hyper-v' || host.product === 'hyper-v-server' ? 'hyperv' : undefined
}

/** `virtio` of libvirt is `virtio-blk` of a lab, and `pc-q35-7.2` is `q35`. */
function agrees(declared: string, seen: string): boolean {
  const [one, other] = [declared.toLowerCase(), seen.toLowerCase()]
  return (
    one === other ||
    one.startsWith(`${other}-`) ||
    other.split('-').includes(one) ||
    other.startsWith(`${one}-`)
  )
}
