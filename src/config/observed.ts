import { isRelease, parseRelease } from './release.js'
import type { ProductVersion } from './version.js'
import { inRange, parseRange, parseVersion } from './version.js'

/** A product as a machine itself shows it, with every version that it gives itself. */
export interface Observed {
  /** As labs name it. */
  readonly product: string
  /** The coarser first; empty where it shows none. */
  readonly versions: readonly string[]
}

/** A product and version as a lab declares them. */
export interface Declared {
  readonly product: string
  readonly version: string
}

/** Among the facts of a host: the fingerprint of the key that it proved at login. */
export const hostKeyFact = 'host key'

type Facts = Readonly<Record<string, string>>

/** Which product a guest's facts show; `null` where they name none. */
export function observedGuest(facts: Facts): Observed | null {
  const { os = '' } = facts
  if (/Windows/.test(os)) return windowsOf(os, facts['os.servicepack'] ?? '')
  const id = facts['os.id']
  const release = facts.release ?? ''
  const text = [
    id === undefined ? '' : `ID=${id}\nVERSION_ID=${facts['os.release'] ?? ''}\n`,
    '',
    release,
    id === 'debian' ? release : '',
  ]
  const { product, versions } = parseRelease(text.map(part => `${part}--guestcert--\n`).join(''))
  return product === null ? null : { product, versions: versions.filter(isVersion) }
}

/** The year and release of a caption, and the service pack. 2003 R2 calls itself 2003 there: either may be meant. */
function windowsOf(caption: string, pack: string): Observed | null {
  const year = /\b(20\d\d)\b/.exec(caption)?.[1]
  if (!/\bServer/.test(caption)) return { product: 'windows', versions: [] }
  if (year === undefined) return { product: 'windows-server', versions: [] }
  const suffix = /\d+/.exec(pack) === null ? '' : ` SP${/\d+/.exec(pack)}`
  const names = /\bR2\b/.test(caption) ? [`${year} R2`] : year === '2003' ? ['2003', '2003 R2'] : [year]
  return { product: 'windows-server', versions: names.map(name => `${name}${suffix}`) }
}

/** What distributions call themselves, and what labs call them as hypervisors with KVM and with Xen. */
const systems: readonly (readonly [pattern: RegExp, kvm: string, xen: string | null])[] = [
  [/^Red Hat Enterprise Linux\D*(\d+(?:\.\d+)*)/, 'rhel-kvm', 'rhel-xen'],
  [/^SUSE Linux Enterprise Server (\d+(?: SP\d+)?)/, 'sles-kvm', 'sles-xen'],
  [/^Debian GNU\/Linux (\d+(?:\.\d+)*)/, 'debian-kvm', null],
  [/^Ubuntu (\d+(?:\.\d+)*)/, 'ubuntu-kvm', null],
]

/**
 * Every product that a host's facts show: a Debian with libvirt is a `debian-kvm`, and a QEMU as well. A driver that knows
 * its product by itself says so as `product` and `version`.
 */
export function observedHypervisors(facts: Facts): readonly Observed[] {
  const found: Observed[] = []
  if (facts.product !== undefined) {
    found.push({ product: facts.product, versions: facts.version === undefined ? [] : [facts.version] })
  }
  const isXen = /^xen\b/i.test(facts.hypervisor ?? '') || facts['xen version'] !== undefined
  for (const [pattern, kvm, xen] of systems) {
    const version = pattern.exec(facts['host product'] ?? '')?.[1]
    const product = isXen ? xen : kvm
    if (version !== undefined && product !== null) found.push({ product, versions: [version] })
  }
  const [, name = '', version = ''] = /^(QEMU|Xen)\D*(\d+(?:\.\d+)*)/.exec(facts.hypervisor ?? '') ?? []
  if (name !== '') found.push({ product: name.toLowerCase(), versions: [version] })
  const qemu = /^\d+(?:\.\d+)*/.exec(facts['qemu version'] ?? '')?.[0]
  if (qemu !== undefined && name === '') found.push({ product: 'qemu', versions: [qemu] })
  return found
}

/** Whether something that was observed is what a lab declares. `linux` is any Linux. */
export function confirms(declared: Declared, observed: Observed): boolean {
  if (declared.product === 'linux') return !observed.product.startsWith('windows')
  return declared.product === observed.product && hasVersion(declared, observed)
}

/**
 * How what was observed contradicts what the lab declares, in words; `null` where it does not. What shows no product,
 * or none that labs know, contradicts nothing.
 */
export function contradiction(declared: Declared, observed: readonly Observed[]): string | null {
  const same = observed.filter(({ product }) => product === declared.product)
  if (observed.length === 0 || observed.some(one => confirms(declared, one))) return null
  if (same.some(({ versions }) => versions.length === 0)) return null
  const seen = (same.length > 0 ? same : observed).map(
    ({ product, versions }) => `${product} ${versions.at(-1) ?? ''}`,
  )
  return `the lab declares ${declared.product} ${declared.version}, and it is ${seen.join(' or ').trim()}`
}

function hasVersion(declared: Declared, { product, versions }: Observed): boolean {
  if (product !== 'windows-server')
    return isRelease(declared, { product, versions }) || isWithin(declared, versions)
  return isWithin(declared, versions)
}

/** Of hypervisors and of Windows a lab may leave the finer part of a version away. */
function isWithin({ product, version }: Declared, versions: readonly string[]): boolean {
  const range = parseRange(version)
  const isStrict = product === 'rhel' || product === 'sles'
  const parsed = versions.map(parseVersion).filter((one): one is ProductVersion => one !== null)
  return !isStrict && range !== null && parsed.some(one => inRange(one, range))
}

function isVersion(text: string): boolean {
  return parseVersion(text) !== null
}
