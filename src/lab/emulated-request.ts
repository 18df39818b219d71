import type { Guest, Host, Lab, Placement } from '../config/model.js'
import { personaFolders, resolvePersona } from '../config/personas.js'

/** Who logs in to emulated hosts. */
export const emulatedHostUser = 'root'
const defaultVcpus = 1
const defaultMemoryBytes = 2 ** 30

/** What the emulator is asked to start: data, since it shares no code with what is tested against it. */
export interface EmulatedGuestRequest {
  readonly name: string
  readonly persona: string
  readonly personaFolders: readonly string[]
  readonly platform?: string
  readonly hardware: Readonly<Record<string, string | number>>
  readonly users: readonly { name: string; authorizedKeys: readonly string[] }[]
  readonly host: string
  readonly port: number
  readonly faults?: Readonly<Record<string, unknown>>
}

/** What the emulator is asked to start as a host. */
export interface EmulatedHostRequest {
  readonly name: string
  readonly persona: string
  readonly personaFolders: readonly string[]
  readonly users: EmulatedGuestRequest['users']
  readonly vms: readonly EmulatedVmRequest[]
  readonly faults?: Readonly<Record<string, unknown>>
}

/** A virtual machine that stands on an emulated host. */
export interface EmulatedVmRequest {
  readonly name: string
  readonly guest: Pick<EmulatedGuestRequest, 'persona' | 'users' | 'faults'>
  readonly hardware: EmulatedGuestRequest['hardware']
  readonly snapshots: readonly string[]
  readonly images: readonly string[]
}

/** The name of a guest on a host, unique in a lab. */
export function guestName(guest: string, host: string, configuration: string): string {
  return `${guest}.${host}.${configuration}`
}

/** Whether anything in the lab is emulated. */
export function hasEmulatedGuests(lab: Lab): boolean {
  return [...lab.guests.values()].some(guest => guest.emulated !== undefined)
}

/** Whether a host is played and starts its guests itself, as its driver asks it to. */
export function startsGuests({ emulated, driver }: Host): boolean {
  return emulated !== undefined && driver.startsGuests
}

/** What the emulator must start for a lab. */
export interface EmulatedLabRequest {
  readonly guests: readonly EmulatedGuestRequest[]
  readonly hosts: readonly EmulatedHostRequest[]
}

/** What the emulator must start for a lab: guests that run by themselves, and hosts that start theirs. */
export function emulatedLabOf(lab: Lab, publicKey: string): EmulatedLabRequest {
  const placed = [...lab.guests.values()].flatMap(guest =>
    guest.on.flatMap(placement => {
      const host = lab.hosts.get(placement.host)
      return guest.emulated === undefined || host === undefined
        ? []
        : [
            {
              host,
              placement,
              request: requestOf({ lab, guest, host, placement, publicKey }, guest.emulated),
            },
          ]
    }),
  )
  const hosts = [...lab.hosts.values()].filter(startsGuests)
  return {
    guests: placed.filter(({ host }) => !startsGuests(host)).map(({ request }) => request),
    hosts: hosts.map(host => ({
      name: host.id,
      persona: resolvePersona(host.emulated ?? '', lab.file),
      personaFolders: personaFolders(lab.file, lab.personas),
      users: [{ name: emulatedHostUser, authorizedKeys: [publicKey] }],
      vms: vmsOf(placed.filter(({ host: { id } }) => id === host.id)),
      ...(host.faults === undefined ? {} : { faults: host.faults }),
    })),
  }
}

interface Placed {
  readonly placement: Placement
  readonly request: EmulatedGuestRequest
}

/** Several guests of a lab may be one machine at different clean states. */
function vmsOf(placed: readonly Placed[]): EmulatedVmRequest[] {
  const found = new Map<string, EmulatedVmRequest>()
  for (const { placement, request } of placed) {
    const { clean, vm: name = request.name } = placement
    const { persona, users, faults, hardware } = request
    const known = found.get(name)
    const source = sourceOf(clean)
    found.set(name, {
      name,
      guest: { persona, users, ...(faults === undefined ? {} : { faults }) },
      hardware,
      snapshots: [...(known?.snapshots ?? []), ...(source?.isFile === false ? [source.name] : [])],
      images: [...(known?.images ?? []), ...(source?.isFile === true ? [source.name] : [])],
    })
  }
  return [...found.values()]
}

/** What a clean state begins with: a file on the host, or a snapshot, of which some hosts make overlays too. */
function sourceOf(clean: Placement['clean']): { readonly name: string; readonly isFile: boolean } | null {
  if (clean.kind === 'none') {
    return null
  }
  const name = clean.kind === 'snapshot' ? clean.name : clean.path
  return { name, isFile: clean.kind !== 'snapshot' && /^(?:\/|[A-Za-z]:\\)/.test(name) }
}

interface Standing {
  readonly lab: Lab
  readonly guest: Guest
  readonly host: Host
  readonly placement: Placement
  readonly publicKey: string
}

function requestOf(
  { lab, guest, host, placement: { configuration }, publicKey }: Standing,
  persona: string,
): EmulatedGuestRequest {
  const { vcpus, memoryBytes, firmware, generation, machine, disk, nic, mode } = configuration
  const given = { firmware, generation, machine, disk, nic, mode }
  const hardware = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return {
    name: guestName(guest.id, host.id, configuration.name),
    persona: resolvePersona(persona, lab.file),
    personaFolders: personaFolders(lab.file, lab.personas),
    ...(host.emulated === undefined ? {} : { platform: resolvePersona(host.emulated, lab.file) }),
    hardware: {
      vcpus: vcpus ?? defaultVcpus,
      memoryBytes: memoryBytes ?? defaultMemoryBytes,
      ...(hardware as Record<string, string | number>),
    },
    users: [{ name: guest.login.user, authorizedKeys: [publicKey] }],
    host: '127.0.0.1',
    port: 0,
    ...(guest.faults === undefined ? {} : { faults: guest.faults }),
  }
}
