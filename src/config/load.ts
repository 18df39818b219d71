import { resolve } from 'node:path'
import { check, inOrder } from './check.js'
import { ConfigError, type Mistake } from './errors.js'
import { connectionLimitNames, type GivenHostLimits, patientLimits } from './host-limits.js'
import { type LabFile, labSchema } from './lab-schema.js'
import { defaultLimits, type Limits } from './limits.js'
import type { Capacity, Guest, Host, Lab } from './model.js'
import { parseMomentMs } from './moment.js'
import { guestProducts } from './products.js'
import { resolveGuest } from './resolve-guest.js'
import { resolveConnect } from './resolve-host.js'
import { parseDurationMs, parseSizeBytes } from './units.js'
import { readYaml, type YamlFile } from './yaml.js'

const defaultRetries = 1
const defaultParallel = 4
const defaultHostFailures = 2
/** A host that starts guests bears one at a time unless the lab says more. */
const defaultGuestsPerHost = 1

/** Reads and checks a `lab.yaml`. Every mistake at once, as one ConfigError; nothing is contacted. */
export async function loadLab(path: string): Promise<Lab> {
  const file = resolve(path)
  return labOf(await readYaml(file))
}

/** Checks a lab that has been parsed. */
export function labOf(yaml: YamlFile): Lab {
  const { data, mistakes } = check(yaml, labSchema)
  if (data === null) {
    throw new ConfigError(mistakes)
  }
  const found: Mistake[] = []
  const hosts = new Map(Object.keys(data.hosts).map(id => [id, hostOf(id, data, yaml, found)]))
  const guests = new Map(Object.keys(data.guests).map(id => [id, guestOf(id, data, hosts, yaml, found)]))
  const limits = limitsOf(data)
  if (limits.leaseRenewal * 2 > limits.lease) {
    const place = yaml.place(['defaults', 'limits'])
    const message =
      'leaseRenewal must be at most half of lease: one renewal may fail, and nobody takes the host over'
    found.push({ place, message })
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

function readLimits(written: Readonly<Record<string, string | undefined>> = {}): Record<string, number> {
  const given = Object.entries(written).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, parseDurationMs(text) ?? parseSizeBytes(text) ?? 0] as const],
  )
  return Object.fromEntries(given)
}

function hostOf(id: string, data: LabFile, yaml: YamlFile, mistakes: Mistake[]): Host {
  const entry = data.hosts[id]
  const path = ['hosts', id]
  if (entry === undefined) {
    throw new TypeError(`host ${id} vanished from its own list`)
  }
  if (entry.connect !== undefined && entry.emulated !== undefined) {
    mistakes.push({
      place: yaml.placeOfKey(path, 'emulated'),
      message: 'a host has "connect" or "emulated", not both',
    })
  }
  if (entry.faults !== undefined && (entry.emulated === undefined || entry.driver === 'static')) {
    mistakes.push({
      place: yaml.placeOfKey(path, 'faults'),
      message: 'only an emulated host that starts its guests has "faults"',
    })
  }
  const needsConnection = entry.driver !== 'static' && entry.driver !== 'qemu'
  if (needsConnection && entry.connect === undefined && entry.emulated === undefined) {
    const message = `host "${id}": the driver ${entry.driver} needs "connect" (or "emulated")`
    mistakes.push({ place: yaml.place(path), message })
  }
  const connect = resolveConnect(entry.connect, path, yaml, mistakes)
  return {
    id,
    place: yaml.placeOfKey(['hosts'], id),
    product: entry.product,
    version: entry.version,
    driver: entry.driver,
    ...(connect === undefined ? {} : { connect }),
    ...(entry.emulated === undefined ? {} : { emulated: entry.emulated }),
    ...(entry.image === undefined ? {} : { image: entry.image }),
    ...(entry.faults === undefined ? {} : { faults: entry.faults }),
    capacity: capacityOf(entry),
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

function capacityOf({ capacity, driver }: LabFile['hosts'][string]): Capacity {
  const starts = driver !== 'static'
  return {
    guests: capacity?.guests ?? (starts ? defaultGuestsPerHost : Number.POSITIVE_INFINITY),
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
