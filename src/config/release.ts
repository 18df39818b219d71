import { compareVersions, inRange, parseRange, parseVersion } from './version.js'

/** What a Linux calls itself. */
export interface Release {
  /** As labs name it: `rhel`, `sles`, `debian`; `null` when no file says it. */
  readonly product: string | null
  /** As the release file says it, service packs as labs write them. Finer ones follow: Debian's `12.8` after `12`. */
  readonly versions: readonly string[]
}

const cut = '--guestcert--'

/** A POSIX shell text that prints the files in which Linux distributions name themselves. */
export const releaseCommand: string = ['os-release', 'SuSE-release', 'redhat-release', 'debian_version']
  .map(file => `cat /etc/${file} 2>/dev/null;echo ${cut}`)
  .join(';')

/**
 * Reads what {@link releaseCommand} printed: os-release(5) where it is, else SuSE-release (`VERSION = 11`,
 * `PATCHLEVEL = 4`) or redhat-release (`Red Hat Enterprise Linux Server release 5.11 (Tikanga)`).
 */
export function parseRelease(text: string): Release {
  const [os = '', suse = '', redhat = '', debian = ''] = text.split(`${cut}\n`)
  const ofRedhat = / release (\d+(?:\.\d+)*)/.exec(redhat)?.[1]
  if (os.trim() !== '') {
    const product = productOf(field(os, 'ID') ?? '')
    const version = field(os, 'VERSION_ID')
    const finer =
      product === 'debian'
        ? debian.trim()
        : product === 'ubuntu'
          ? /^\S+/.exec(field(os, 'VERSION') ?? '')?.[0]
          : product === 'rhel'
            ? undefined
            : ofRedhat
    const versions = [version, finer].filter(found => found !== undefined && found !== '') as string[]
    return { product, versions: versions.map(found => asDeclared(product, found)) }
  }
  if (suse.trim() !== '') {
    const version = /^VERSION\s*=\s*(\S+)/m.exec(suse)?.[1]
    const level = /^PATCHLEVEL\s*=\s*(\d+)/m.exec(suse)?.[1] ?? '0'
    return {
      product: 'sles',
      versions: version === undefined ? [] : [asDeclared('sles', `${version}.${level}`)],
    }
  }
  const named = redhatProducts.find(([pattern]) => pattern.test(redhat))?.[1] ?? null
  return { product: named, versions: ofRedhat === undefined ? [] : [ofRedhat] }
}

/**
 * Whether a release is the one that a lab declares. Minors and service packs belong to the version of RHEL and
 * SLES; others name theirs elsewhere, and a lab may leave them away.
 */
export function isRelease(declared: { product: string; version: string }, { versions }: Release): boolean {
  const [wanted, range] = [parseVersion(declared.version), parseRange(declared.version)]
  if (wanted === null || range === null) {
    return false
  }
  const isStrict = declared.product === 'rhel' || declared.product === 'sles'
  return versions.some(text => {
    const seen = parseVersion(text)
    return seen !== null && (isStrict ? compareVersions(seen, wanted) === 0 : inRange(seen, range))
  })
}

const redhatProducts: readonly (readonly [RegExp, string])[] = [
  [/^Red Hat Enterprise Linux/, 'rhel'],
  [/^CentOS/, 'centos'],
  [/^Fedora/, 'fedora'],
]

/** The names of os-release, where labs have others. */
function productOf(id: string): string {
  const names: Readonly<Record<string, string>> = {
    almalinux: 'alma',
    ol: 'oracle-linux',
    sles_sap: 'sles',
    suse: 'sles',
  }
  const plain = id.toLowerCase()
  return names[plain] ?? (plain.startsWith('opensuse') ? 'opensuse' : plain)
}

function field(text: string, name: string): string | undefined {
  return new RegExp(`^${name}=(["']?)(.*)\\1$`, 'm').exec(text)?.[2]
}

/** SLES counts service packs as minors in files. */
function asDeclared(product: string | null, version: string): string {
  const [, major, pack] = /^(\d+)\.(\d+)$/.exec(version) ?? []
  return product === 'sles' && major !== undefined ? (pack === '0' ? major : `${major} SP${pack}`) : version
}
