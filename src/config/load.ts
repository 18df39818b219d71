import { dirname, resolve } from 'node:path'
import { check, inOrder } from './check.js'
import type { DriverCatalog, DriverDescriptor, DriverSource } from './driver.js'
import { hostNames } from './driver.js'
import { type Emulation, emulationMistakes, readEmulation } from './emulation.js'
import { ConfigError, type Mistake } from './errors.js'
import { refuseOtherFormat } from './format.js'
import { connectionLimitNames, type GivenHostLimits, patientLimits } from './host-limits.js'
import { type LabFile, labSchema } from './lab-schema.js'
import { defaultLimits, type Limits } from './limits.js'
import type { Capacity, Guest, Host, Lab } from './model.js'
import { parseMomentMs } from './moment.js'
import { guestProducts } from './products.js'
import { resolveGuest } from './resolve-guest.js'
import { resolveConnection } from './resolve-host.js'
import { sizeWarnings } from './size-warnings.js'
import { parseDurationMs, parseSizeBytes } from './units.js'
import { readYaml, type YamlFile } from './yaml.js'

const defaultRetries = 1
const defaultParallel = 4
const defaultHostFailures = 2
/** A host that starts guests bears one at a time unless the lab says more. */
const defaultGuestsPerHost = 1

/** Reads and checks a `lab.yaml`. Every mistake at once, as one ConfigError; nothing is contacted. */
export async function loadLab(path: string, drivers: DriverSource): Promise<Lab> {
  const yaml = await readYaml(resolve(path))
  refuseOtherFormat(yaml)
  const lab = labOf(yaml, await driversOf(yaml, drivers), await readEmulation(yaml.file))
  const named = new Set([...lab.hosts.values()].map(({ driver }) => driver))
  await Promise.all([...named].map(driver => driver.load?.()))
  return lab
}

/** The built-in drivers and those that the lab names. Throws ConfigError with the place of each that cannot be used. */
async function driversOf(yaml: YamlFile, { builtin, load }: DriverSource): Promise<DriverCatalog> {
  const catalog = new Map(builtin.map(driver => [driver.name, driver]))
  const named: unknown = (yaml.data as { drivers?: unknown } | null)?.drivers
  const mistakes: Mistake[] = []
  for (const [index, file] of (Array.isArray(named) ? named : []).entries()) {
    // Anything but a path is refused by the schema, in its own words.
    if (typeof file !== 'string') {
      continue
    }
    const place = yaml.place(['drivers', index])
    try {
      const driver = await load(resolve(dirname(yaml.file), file))
      if (catalog.has(driver.name)) {
        mistakes.push({ place, message: `${file}: there is already a driver "${driver.name}"` })
      }
      catalog.set(driver.name, driver)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      mistakes.push({ place, message: `cannot load the driver ${file}: ${why}` })
    }
  }
  if (mistakes.length > 0) {
    throw new ConfigError(mistakes)
  }
  return catalog
}

/** Checks a lab that has been parsed; without `emulation`, not what it asks of the emulator. */
export function labOf(yaml: YamlFile, drivers: DriverCatalog, emulation?: Emulation): Lab {
  const { data, mistakes } = check(yaml, labSchema(hostNames([...drivers.values()])))
  if (data === null) {
    throw new ConfigError(mistakes)
  }
  const found: Mistake[] = []
  const hosts = new Map(
    Object.keys(data.hosts).map(id => [id, hostOf(id, { data, drivers, yaml, mistakes: found })]),
  )
  const guests = new Map(Object.keys(data.guests).map(id => [id, guestOf(id, data, hosts, yaml, found)]))
  const limits = limitsOf(data)
  if (limits.leaseRenewal * 2 > limits.lease) {
    const place = yaml.place(['defaults', 'limits'])
    const message =
      'leaseRenewal must be at most half of lease: one renewal may fail, and nobody takes the host over'
    found.push({ place, message })
  }
  if (emulation !== undefined) {
    found.push(...emulationMistakes(data, yaml, emulation))
  }
  if (found.length > 0) {
    throw new ConfigError(inOrder(found))
  }
  return {
    name: data.lab,
    file: yaml.file,
    limits,
    retries: data.defaults?.retries ?? defaultRetries,
    hostFailures: data.defaults?.hostFailures ?? defaultHostFailures,
    parallel: data.defaults?.parallel ?? defaultParallel,
    hosts,
    guests,
    suites: data.suites,
    warnings: inOrder(sizeWarnings(data, yaml)),
  }
}

function limitsOf(data: LabFile): Limits {
  return { ...defaultLimits, ...readLimits(data.defaults?.limits) }
}

/** What connecting to it may take is said for all machines, or for this host alone. */
function hostLimitsOf({ limits, image }: LabFile['hosts'][string], data: LabFile): GivenHostLimits {
  const common = readLimits(data.defaults?.limits)
  const reach = connectionLimitNames.flatMap(name => (name in common ? [[name, common[name]]] : []))
  const patience = image === undefined ? {} : patientLimits
  return { ...patience, ...Object.fromEntries(reach), ...readLimits(limits) }
}

function readLimits(
  written: Readonly<Record<string, string | number | undefined>> = {},
): Record<string, number> {
  const inUnits = (given: string | number): number =>
    typeof given === 'number' ? given : (parseDurationMs(given) ?? parseSizeBytes(given) ?? 0)
  const given = Object.entries(written).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, inUnits(value)] as const],
  )
  return Object.fromEntries(given)
}

interface HostInput {
  readonly data: LabFile
  readonly drivers: DriverCatalog
  readonly yaml: YamlFile
  readonly mistakes: Mistake[]
}

function hostOf(id: string, { data, drivers, yaml, mistakes }: HostInput): Host {
  const entry = data.hosts[id]
  const path = ['hosts', id]
  const driver = drivers.get(entry?.driver ?? '')
  if (entry === undefined || driver === undefined) {
    throw new TypeError(`host ${id} vanished from its own list`)
  }
  if (entry.connect !== undefined && entry.emulated !== undefined) {
    mistakes.push({
      place: yaml.placeOfKey(path, 'emulated'),
      message: 'a host has "connect" or "emulated", not both',
    })
  }
  if (entry.faults !== undefined && (entry.emulated === undefined || !driver.startsGuests)) {
    mistakes.push({
      place: yaml.placeOfKey(path, 'faults'),
      message: 'only an emulated host that starts its guests has "faults"',
    })
  }
  if (driver.needsConnect && entry.connect === undefined && entry.emulated === undefined) {
    const message = `host "${id}": the driver ${driver.name} needs "connect" (or "emulated")`
    mistakes.push({ place: yaml.place(path), message })
  }
  for (const message of driver.hostMistakes?.(entry) ?? []) {
    mistakes.push({ place: yaml.placeOfKey(path, 'product'), message: `host "${id}": ${message}` })
  }
  return {
    id,
    place: yaml.placeOfKey(['hosts'], id),
    product: entry.product,
    version: entry.version,
    driver,
    ...resolveConnection(entry.connect, path, driver, yaml, mistakes),
    ...(entry.emulated === undefined ? {} : { emulated: entry.emulated }),
    ...(entry.image === undefined ? {} : { image: entry.image }),
    ...(entry.faults === undefined ? {} : { faults: entry.faults }),
    capacity: capacityOf(entry, driver),
    limits: hostLimitsOf(entry, data),
    ...reservationOf(entry),
  }
}

function reservationOf({ reserved }: LabFile['hosts'][string]): Pick<Host, 'reserved'> {
  const untilMs = parseMomentMs(reserved?.until ?? '')
  return reserved === undefined || untilMs === null
    ? {}
    : { reserved: { by: reserved.by, untilMs, why: reserved.why } }
}

function capacityOf({ capacity }: LabFile['hosts'][string], { startsGuests }: DriverDescriptor): Capacity {
  return {
    guests: capacity?.guests ?? (startsGuests ? defaultGuestsPerHost : Number.POSITIVE_INFINITY),
    vcpus: capacity?.vcpus ?? Number.POSITIVE_INFINITY,
    memoryBytes: parseSizeBytes(capacity?.memory ?? '') ?? Number.POSITIVE_INFINITY,
    locks: capacity?.locks ?? [],
  }
}

function guestOf(
  id: string,
  data: LabFile,
  hosts: ReadonlyMap<string, Host>,
  yaml: YamlFile,
  mistakes: Mistake[],
): Guest {
  const entry = data.guests[id]
  const product = guestProducts.find(known => known.id === entry?.product)
  if (entry === undefined || product === undefined) {
    throw new TypeError(`guest ${id} vanished from its own list`)
  }
  return resolveGuest({
    id,
    entry,
    family: product.family,
    defaults: data.defaults?.login,
    hosts,
    yaml,
    mistakes,
  })
}
