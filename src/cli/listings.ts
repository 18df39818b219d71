import { UsageError } from '../config/errors.js'
import type { Guest, Host, Lab } from '../config/model.js'
import { guestProducts, hypervisorProducts } from '../config/products.js'
import { loadRequirements } from '../config/requirements.js'
import { formatSize } from '../config/units.js'
import { bootRequirement, bootTestId } from '../plan/boot.js'
import type { Suite } from '../plan/suite.js'
import { loadSuites } from '../plan/suites.js'
import { loadLab } from './load-lab.js'

/** What a listing is: rows for people, values for programs. */
export interface Listing {
  readonly headings: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly values: readonly unknown[]
}

/** Every listing by what is listed; each takes the lab's file, or `null`. */
export const listings: ReadonlyMap<string, (lab: string | null) => Promise<Listing>> = new Map([
  ['suites', async (lab: string | null) => listSuites(await suitesOf(lab))],
  ['tests', async (lab: string | null) => listTests(await suitesOf(lab))],
  ['guests', async (lab: string | null) => listGuests(await labOf(lab, 'guests'))],
  ['hosts', async (lab: string | null) => listHosts(await labOf(lab, 'hosts'))],
  ['products', async () => listProducts()],
  ['requirements', async (lab: string | null) => listRequirements(await suitesOf(lab))],
])

async function suitesOf(file: string | null): Promise<readonly Suite[]> {
  if (file === null) return loadSuites(['builtin'], null)
  const lab = await loadLab(file)
  return loadSuites(lab.suites, lab.file)
}

async function labOf(file: string | null, what: string): Promise<Lab> {
  if (file === null) throw new UsageError(`a lab is required: guestcert list ${what} lab.yaml`)
  return loadLab(file)
}

function listSuites(suites: readonly Suite[]): Listing {
  return {
    headings: ['SUITE', 'VERSION', 'TESTS', 'TITLE'],
    rows: suites.map(({ id, version, tests, title }) => [id, version, String(tests.length), title]),
    values: suites.map(({ id, version, title, manifest, digest, applies, tests }) => ({
      suite: id,
      version,
      title,
      manifest,
      digest,
      applies,
      tests: tests.map(test => nameInSuite(test.id)),
    })),
  }
}

function listTests(suites: readonly Suite[]): Listing {
  const tests = suites.flatMap(suite => suite.tests.map(test => ({ suite, test })))
  return {
    headings: ['TEST', 'LEVEL', 'REQUIREMENTS', 'TITLE'],
    rows: tests.map(({ test }) => [test.id, test.level, test.requirements.join(' '), test.title]),
    values: tests.map(({ suite, test }) => ({
      suite: suite.id,
      id: nameInSuite(test.id),
      title: test.title,
      level: test.level,
      requirements: test.requirements,
      applies: { suite: suite.applies, test: test.applies },
      needs: test.needs,
      protocol: test.protocol,
      ...(test.parameters === undefined ? {} : { parameters: test.parameters }),
      ...(test.codes === undefined ? {} : { codes: test.codes }),
      proof: test.proof,
      tags: test.tags,
    })),
  }
}

/** Each requirement with the tests that speak for it; those that tests name and no list holds, too. */
async function listRequirements(suites: readonly Suite[]): Promise<Listing> {
  const known = await loadRequirements()
  const tests = suites.flatMap(suite => suite.tests)
  const ids = [...new Set([...known.keys(), ...tests.flatMap(test => test.requirements)])].sort()
  const values = ids.map(id => {
    const { text = null, source = null, version = null } = known.get(id) ?? {}
    const own = id === bootRequirement ? [bootTestId] : []
    const named = tests.filter(({ requirements }) => requirements.includes(id)).map(test => test.id)
    return { id, text, source, version, tests: [...own, ...named] }
  })
  return {
    headings: ['REQUIREMENT', 'TESTS', 'TEXT'],
    rows: values.map(({ id, tests, text }) => [id, tests.join(' ') || 'no test', text ?? 'in no list']),
    values,
  }
}

function listGuests({ guests }: Lab): Listing {
  const all = [...guests.values()]
  return {
    headings: ['GUEST', 'PRODUCT', 'ARCH', 'SHELL', 'ON'],
    rows: all.map(guest => [
      guest.id,
      productOf(guest),
      guest.arch,
      guest.shell,
      guest.on.map(({ host, configuration }) => `${host} (${configuration.name})`).join(', '),
    ]),
    values: all.map(guest => ({
      id: guest.id,
      product: guest.product,
      version: guest.version,
      edition: guest.edition ?? null,
      arch: guest.arch,
      family: guest.family,
      shell: guest.shell,
      tags: guest.tags,
      emulated: guest.emulated ?? null,
      on: guest.on.map(({ host, configuration }) => ({ host, configuration })),
    })),
  }
}

function listHosts({ hosts, guests }: Lab): Listing {
  const all = [...hosts.values()]
  const placed = (host: Host): string[] =>
    [...guests.values()].filter(({ on }) => on.some(({ host: id }) => id === host.id)).map(({ id }) => id)
  return {
    headings: ['HOST', 'PRODUCT', 'DRIVER', 'CAPACITY', 'GUESTS'],
    rows: all.map(host => [
      host.id,
      productOf(host),
      host.driver.name,
      capacityOf(host),
      placed(host).join(', '),
    ]),
    values: all.map(host => ({
      id: host.id,
      product: host.product,
      version: host.version,
      driver: host.driver.name,
      emulated: host.emulated ?? null,
      capacity: {
        guests: bounded(host.capacity.guests),
        vcpus: bounded(host.capacity.vcpus),
        memoryBytes: bounded(host.capacity.memoryBytes),
        locks: host.capacity.locks,
      },
      guests: placed(host),
    })),
  }
}

function listProducts(): Listing {
  const products = [
    ...hypervisorProducts.map(({ id, title }) => ({ id, role: 'hypervisor', title, family: null })),
    ...guestProducts.map(({ id, title, family }) => ({ id, role: 'guest', title, family })),
  ]
  return {
    headings: ['PRODUCT', 'ROLE', 'TITLE'],
    rows: products.map(({ id, role, title }) => [id, role, title]),
    values: products,
  }
}

function productOf({ product, version, emulated }: Guest | Host): string {
  return `${product} ${version}${emulated === undefined ? '' : ' (emulated)'}`
}

function capacityOf({ capacity: { guests, vcpus, memoryBytes } }: Host): string {
  const parts = [
    ...(Number.isFinite(guests) ? [`${guests} guest${guests === 1 ? '' : 's'}`] : []),
    ...(Number.isFinite(vcpus) ? [`${vcpus} vCPUs`] : []),
    ...(Number.isFinite(memoryBytes) ? [formatSize(memoryBytes)] : []),
  ]
  return parts.join(', ') || 'unbounded'
}

/** JSON has no infinity. */
function bounded(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

/** `drift` of `clock/drift`. */
function nameInSuite(id: string): string {
  return id.slice(id.indexOf('/') + 1)
}
