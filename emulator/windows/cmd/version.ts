import type { WindowsSystem } from '../system/system.js'

/** The version line of cmd, as `ver` prints it: 10.0 has four parts, 2000 has its name in it. */
export function versionLine({ persona }: WindowsSystem): string {
  const { nt, build, revision, verParts } = persona.os
  if (nt === '5.0') return `Microsoft Windows 2000 [Version 5.00.${build}]`
  const fourth = verParts === 4 ? `.${revision ?? 0}` : ''
  return `Microsoft Windows [Version ${nt}.${build}${fourth}]`
}
