import type { Placement } from '../../config/model.js'
import type { Ability } from '../driver.js'

/** A version of Hyper-V, as its Windows Server is called, and the build that tells it. */
export interface Release {
  readonly version: string
  readonly build: number
}

/** The oldest first (learn.microsoft.com, Windows Server release information). */
export const releases: readonly Release[] = [
  { version: '2008', build: 6001 },
  { version: '2008 R2', build: 7600 },
  { version: '2012', build: 9200 },
  { version: '2012 R2', build: 9600 },
  { version: '2016', build: 14393 },
  { version: '2019', build: 17763 },
  { version: '2022', build: 20348 },
  { version: '2025', build: 26100 },
]

/** The version of a build: that of the last release before it; `null` for one that is older than all. */
export function versionOfBuild(build: number): string | null {
  return releases.findLast(release => release.build <= build)?.version ?? null
}

/** The service packs that make up a build of their own: the first release of 2008 is called SP1. */
const packs: Readonly<Record<number, string>> = { 6001: ' SP1', 6002: ' SP2', 7601: ' SP1' }

/** The version of a build with its service pack. */
export function fullVersionOfBuild(build: number): string | null {
  const version = versionOfBuild(build)
  return version === null ? null : `${version}${packs[build] ?? ''}`
}

/** A version as the releases have it: without its service pack. */
export function releaseOf(version: string): string {
  return version
    .trim()
    .toUpperCase()
    .replace(/ SP\d+$/, '')
}

/** Where a version stands among the releases; -1 for one that is not driven. */
function rankOf(version: string): number {
  return releases.findIndex(release => release.version === releaseOf(version))
}

/** Whether the hosts of a version have no Hyper-V module of PowerShell, and are asked by a script over WMI. */
export function isScripted(version: string): boolean {
  return ['2008', '2008 R2'].includes(releaseOf(version))
}

/** What every version does with any machine. */
const common: readonly Ability[] = ['pause', 'reset', 'stop']
/** What would stay with a machine that is lent. */
const ofOwn: readonly Ability[] = ['revert', 'snapshot']

/**
 * What can be done with a guest placed so. Not offered: vCPUs of a machine that runs, which no version changes; the
 * console, a named pipe that drops what nobody reads; migration, for which a login by key over SSH has no credentials. On
 * 2008 and 2008 R2 no screenshot either: nobody is known to have called GetVirtualSystemThumbnailImage there.
 */
export function abilitiesOf(
  { clean, configuration }: Pick<Placement, 'clean' | 'configuration'>,
  version: string,
): ReadonlySet<Ability> {
  const own = clean.kind === 'copy' || clean.kind === 'overlay'
  const isAtLeast = (since: string): boolean => rankOf(version) >= rankOf(since)
  return new Set([
    ...common,
    ...(own ? ofOwn : []),
    ...(isAtLeast('2012') ? (['screenshot'] as const) : []),
    ...(own && isAtLeast('2012') ? (['attach-disk'] as const) : []),
    ...(isAtLeast('2012 R2') ? (['nmi'] as const) : []),
    ...(own && isAtLeast('2016') ? (['set-memory'] as const) : []),
    ...(own && isAtLeast('2016') && configuration.generation === 2 ? (['attach-nic'] as const) : []),
  ])
}
