import type { Host, Placement } from '../../config/model.js'
import { compareVersions, parseVersion } from '../../config/version.js'
import type { Ability } from '../driver.js'

/** What came to libvirt in time. */
export type Feature =
  | 'nmi'
  | 'screenshot'
  | 'reset'
  | 'snapshot'
  | 'addresses'
  | 'arp'
  | 'console-log'
  | 'balloon'
  | 'migrate'
  | 'vcpus'

/**
 * The versions of libvirt from which each feature is there: those of the functions behind the commands,
 * as `src/libvirt_public.syms` of libvirt dates them (virDomainSnapshotCreateXML, virDomainInjectNMI,
 * virDomainScreenshot, virDomainReset, virDomainInterfaceAddresses; virDomainSetMemoryFlags for a running guest's
 * memory; virDomainMigrateBegin3 for a move that leaves the guest where it was when it fails), and the news of 1.3.3
 * (a character device's `<log>`), of 2.2.0 (vCPUs that are plugged one by one) and of 4.2.0 (addresses from ARP).
 */
const since: Readonly<Record<Feature, string>> = {
  snapshot: '0.8.0',
  balloon: '0.9.0',
  migrate: '0.9.2',
  nmi: '0.9.2',
  screenshot: '0.9.2',
  reset: '0.9.7',
  addresses: '1.2.14',
  'console-log': '1.3.3',
  vcpus: '2.2.0',
  arp: '4.2.0',
}

/** Whether a version of libvirt has a feature. */
export function hasFeature(library: string, feature: Feature): boolean {
  return isAtLeast(library, since[feature])
}

/** Whether a version is at least another; a version that cannot be read is not. */
export function isAtLeast(version: string, least: string): boolean {
  const [one, other] = [parseVersion(version), parseVersion(least)]
  return one !== null && other !== null && compareVersions(one, other) >= 0
}

/**
 * The oldest libvirt that a product's version comes with, from the version named on. What is not listed
 * is taken to be of today. It only decides which tests are planned: what a host really has is asked
 * when a guest starts.
 */
const shipped: Readonly<Record<string, readonly (readonly [from: string, library: string])[]>> = {
  'rhel-kvm': [
    ['0', '0.6.3'],
    ['6.0', '0.8.1'],
    ['6.4', '0.10.2'],
    ['7.0', '1.1.1'],
    ['7.2', '1.2.17'],
    ['8.0', '4.5.0'],
  ],
  'sles-kvm': [
    ['0', '0.4.6'],
    ['11 SP1', '0.7.6'],
    ['11 SP2', '0.9.6'],
    ['11 SP3', '1.0.5'],
    ['12', '1.2.5'],
    ['15', '4.0.0'],
  ],
  'debian-kvm': [
    ['0', '0.4.6'],
    ['6', '0.8.3'],
    ['7', '0.9.12'],
    ['8', '1.2.9'],
    ['9', '3.0.0'],
    ['10', '5.0.0'],
  ],
  'ubuntu-kvm': [
    ['0', '0.4.0'],
    ['10.04', '0.7.5'],
    ['12.04', '0.9.8'],
    ['14.04', '1.2.2'],
    ['16.04', '1.3.1'],
    ['18.04', '4.0.0'],
  ],
}
const ofToday = '10.0.0'

/** The oldest libvirt that a host of that product and version may have. */
export function expectedLibrary({ product, version }: Pick<Host, 'product' | 'version'>): string {
  const rows = shipped[product] ?? []
  return rows.filter(([from]) => isAtLeast(version, from)).at(-1)?.[1] ?? ofToday
}

/** Whether a product's hypervisor is Xen, whose drivers know neither snapshots nor resets. */
export function isXen(product: string): boolean {
  return product === 'rhel-xen' || product === 'sles-xen' || product === 'xen'
}

/** What can be done with a guest on a libvirt of that version. */
export function abilitiesOf(
  library: string,
  xen: boolean,
  { configuration, clean, migratesTo }: Pick<Placement, 'configuration' | 'clean' | 'migratesTo'>,
): ReadonlySet<Ability> {
  const abilities: Ability[] = ['console', 'pause', 'stop', 'attach-disk', 'attach-nic']
  const isOwn = clean.kind === 'overlay' || clean.kind === 'copy'
  // With one vCPU there is nothing to take away. QEMU lets go only of those that a domain says can be plugged.
  if ((configuration.vcpus ?? 2) > 1 && (xen || (isOwn && hasFeature(library, 'vcpus')))) {
    abilities.push('set-vcpus')
  }
  if (xen) {
    return new Set<Ability>([...abilities, 'set-memory'])
  }
  if (hasFeature(library, 'balloon')) {
    abilities.push('set-memory')
  }
  // A VM that serves itself stays at home: its snapshots could not go along.
  if (migratesTo !== undefined && isOwn && hasFeature(library, 'migrate')) {
    abilities.push('migrate')
  }
  for (const feature of ['nmi', 'screenshot', 'reset'] as const) {
    if (hasFeature(library, feature)) {
      abilities.push(feature)
    }
  }
  // A snapshot inside the disk's file does not hold what UEFI keeps in its own.
  if (hasFeature(library, 'snapshot') && configuration.firmware !== 'uefi') {
    abilities.push('snapshot', 'revert')
  }
  return new Set(abilities)
}
