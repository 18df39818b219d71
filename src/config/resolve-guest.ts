import { dirname, win32 } from 'node:path'
import { capacityMistakes } from './check-capacity.js'
import type { Mistake } from './errors.js'
import type { LabFile, LoginFile, PlacementFile } from './lab-schema.js'
import type { CleanState, Configuration, Endpoint, Family, Guest, Host, Login, Placement } from './model.js'
import { nearest } from './nearest.js'
import { defaultShell } from './products.js'
import { endpointOf, readAddress, resolvePath } from './references.js'
import { resolveLogin } from './resolve-host.js'
import { formatSize, parseSizeBytes } from './units.js'
import type { Path, YamlFile } from './yaml.js'

interface GuestInput {
  readonly id: string
  readonly entry: LabFile['guests'][string]
  readonly family: Family
  readonly defaults: LoginFile | undefined
  readonly hosts: ReadonlyMap<string, Host>
  readonly yaml: YamlFile
  readonly mistakes: Mistake[]
}

/** Turns a guest as written into one whose hosts, addresses and secrets are resolved. */
export function resolveGuest(input: GuestInput): Guest {
  const { id, entry, family, yaml, mistakes } = input
  const path = ['guests', id]
  if (Object.keys(entry.on).length === 0) {
    mistakes.push({ place: yaml.place([...path, 'on']), message: `guest "${id}" is on no host` })
  }
  return {
    id,
    place: yaml.placeOfKey(['guests'], id),
    product: entry.product,
    version: entry.version,
    ...(entry.edition === undefined ? {} : { edition: entry.edition }),
    ...(entry.driverSigners === undefined ? {} : { driverSigners: entry.driverSigners }),
    arch: entry.arch,
    family,
    shell: entry.shell ?? defaultShell(family),
    login: loginOf(input, path),
    tags: entry.tags ?? [],
    reboot: entry.reboot ?? null,
    ...(entry.allow === undefined ? {} : { allow: entry.allow }),
    ...(entry.emulated === undefined ? {} : { emulated: entry.emulated }),
    ...(entry.faults === undefined ? {} : { faults: entry.faults }),
    on: Object.entries(entry.on).flatMap(([hostId, placement]) => placementOf(input, hostId, placement)),
  }
}

/** Who logs in where the lab does not say. */
const usualUser: Readonly<Record<Family, string>> = { linux: 'root', windows: 'Administrator' }

function loginOf({ entry, defaults, family, yaml, mistakes }: GuestInput, path: Path): Login {
  const written = { ...defaults, ...entry.login }
  const user = written.user ?? usualUser[family]
  // The emulator makes a key and a host key for each of its guests, so a lab need not name any.
  const made: LoginFile = entry.emulated === undefined ? {} : { hostKey: 'image' }
  const key = entry.emulated !== undefined && written.password === undefined ? { key: 'image' } : {}
  const loginPath = entry.login === undefined ? path : [...path, 'login']
  return resolveLogin({ ...made, ...key, ...written, user }, loginPath, yaml, mistakes)
}

function placementOf(input: GuestInput, hostId: string, placement: PlacementFile): Placement[] {
  const { id, hosts, yaml, mistakes } = input
  const path = ['guests', id, 'on', hostId]
  const host = hosts.get(hostId)
  if (host === undefined) {
    const near = nearest(hostId, [...hosts.keys()])
    const hint =
      near === null ? `its hosts are ${[...hosts.keys()].join(', ') || 'none'}` : `did you mean "${near}"?`
    const message = `unknown host "${hostId}": ${hint}`
    mistakes.push({ place: yaml.placeOfKey(path.slice(0, -1), hostId), message })
    return []
  }
  for (const message of placementMistakes(input, placement, host)) {
    mistakes.push({ place: yaml.place(path), message })
  }
  mistakes.push(...migrationMistakes(input, placement, host, path))
  const endpoint = addressOf(placement, path, yaml, mistakes)
  const configuration = configurationOf(placement.configuration)
  mistakes.push(...capacityMistakes({ host, placement, configuration, path, yaml }))
  return [
    {
      host: hostId,
      place: yaml.placeOfKey(path.slice(0, -1), hostId),
      ...(placement.vm === undefined ? {} : { vm: placement.vm }),
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(placement.image === undefined ? {} : { image: placement.image }),
      clean:
        host.driver.namesCleanStates === true
          ? namedCleanOf(placement)
          : cleanOf(placement, dirname(yaml.file)),
      viaHost: placement.via === 'host',
      ...(placement.migratesTo === undefined ? {} : { migratesTo: placement.migratesTo }),
      ...(placement.locks === undefined ? {} : { locks: placement.locks }),
      configuration,
    },
  ]
}

function placementMistakes(
  { entry, yaml }: GuestInput,
  placement: PlacementFile,
  { driver, emulated: hostPersona }: Host,
): string[] {
  const emulated = entry.emulated !== undefined
  const mistakes = [...driver.placementMistakes({ ...placement, emulated, folder: dirname(yaml.file) })]
  if (emulated && placement.address !== undefined) {
    mistakes.push('an emulated guest has no "address": the emulator gives it one')
  }
  if (emulated && driver.startsGuests && hostPersona === undefined) {
    mistakes.push('an emulated guest needs an emulated host, or one with the driver static')
  }
  if (!emulated && driver.startsGuests && hostPersona !== undefined) {
    mistakes.push('an emulated host starts emulated guests only: expected "emulated" on the guest')
  }
  return mistakes
}

/** A second host must be one of the same pairing, with room for the guest. */
function migrationMistakes(
  { hosts, yaml }: GuestInput,
  placement: PlacementFile,
  host: Host,
  path: Path,
): Mistake[] {
  const { migratesTo } = placement
  if (migratesTo === undefined) {
    return []
  }
  const place = yaml.place([...path, 'migratesTo'])
  const second = hosts.get(migratesTo)
  if (second === undefined) {
    const near = nearest(migratesTo, [...hosts.keys()])
    const hint = near === null ? `its hosts are ${[...hosts.keys()].join(', ')}` : `did you mean "${near}"?`
    return [{ place, message: `unknown host "${migratesTo}": ${hint}` }]
  }
  const isSame = second.product === host.product && second.version === host.version
  if (second === host || !isSame || second.driver !== host.driver || !host.driver.migrates) {
    const expected = `another host of the same product and version, both with a driver that moves guests`
    return [
      { place, message: `"${migratesTo}" cannot take the guest from "${host.id}": expected ${expected}` },
    ]
  }
  const configuration = configurationOf(placement.configuration)
  return capacityMistakes({ host: second, placement: { ...placement, locks: [] }, configuration, path, yaml })
}

function addressOf(
  placement: PlacementFile,
  path: Path,
  yaml: YamlFile,
  mistakes: Mistake[],
): Endpoint | undefined {
  if (placement.address === undefined) {
    return undefined
  }
  const address = readAddress(placement.address)
  if (address === null) {
    const message = `"${placement.address}" is not an address: expected "host", "host:port" or "[ipv6]:port"`
    mistakes.push({ place: yaml.place([...path, 'address']), message })
    return undefined
  }
  return endpointOf(address, placement.jump)
}

function namedCleanOf(placement: PlacementFile): CleanState {
  const { clean } = placement
  return typeof clean === 'object' && 'overlay' in clean
    ? { kind: 'overlay', path: clean.overlay }
    : typeof clean === 'object' && 'copy' in clean
      ? { kind: 'copy', path: clean.copy }
      : cleanOf(placement, '')
}

function cleanOf({ clean }: PlacementFile, folder: string): CleanState {
  if (clean === undefined || clean === 'none') {
    return { kind: 'none' }
  }
  if ('snapshot' in clean) {
    return { kind: 'snapshot', name: clean.snapshot }
  }
  return 'overlay' in clean
    ? { kind: 'overlay', path: diskPath(clean.overlay, folder) }
    : { kind: 'copy', path: diskPath(clean.copy, folder) }
}

/** A disk on a Windows host has a path that no other system takes for absolute. */
function diskPath(path: string, folder: string): string {
  return win32.isAbsolute(path) && !path.startsWith('/') ? path : resolvePath(path, folder)
}

function configurationOf({ name, memory, ...written }: PlacementFile['configuration']): Configuration {
  const memoryBytes = memory === undefined ? null : parseSizeBytes(memory)
  const parts = [
    written.firmware,
    written.generation === undefined ? undefined : `gen${written.generation}`,
    written.mode,
    written.machine,
    written.disk,
    written.nic,
    written.vcpus === undefined ? undefined : `${written.vcpus}vcpu`,
    memoryBytes === null ? undefined : formatSize(memoryBytes),
  ]
  const slug = parts.filter(part => part !== undefined).join('-')
  const given = Object.entries(written).filter(([, value]) => value !== undefined)
  return {
    name: name ?? (slug === '' ? 'default' : slug),
    ...Object.fromEntries(given),
    ...(memoryBytes === null ? {} : { memoryBytes }),
  }
}
