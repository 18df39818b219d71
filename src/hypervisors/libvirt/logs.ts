import { join } from 'node:path'
import { fetchLog, logPieces } from '../shared/evidence.js'
import { removeFiles } from '../shared/storage.js'
import { consoleFile } from './domain.js'
import { callOf, type DomainPlace } from './domain-vm.js'
import { emulatorLog } from './evidence.js'
import type { LibvirtHost } from './host.js'
import type { XmlElement } from './xml.js'

/** A domain's logs on its host, which become evidence. */
export interface GuestLogs {
  /** Fetches them as `console.log` and `qemu.log`. */
  fetch(host: LibvirtHost): Promise<void>
  /** Fetches them before they are begun anew or left behind: `console-1.log` comes before `console.log`. */
  keep(host: LibvirtHost): Promise<void>
  /** Removes them from a host that the domain has left. */
  remove(host: LibvirtHost): Promise<void>
}

const never = new AbortController().signal

export function guestLogs(place: DomainPlace, xml: XmlElement, evidenceFolder: string): GuestLogs {
  const { domain, instance } = place
  const console = consoleFile(xml)
  const files = [
    ...(console === null ? [] : [{ file: console, name: 'console' }]),
    // Of a VM that serves itself the log is older than the instance.
    ...(domain === instance ? [{ file: emulatorLog(domain), name: 'qemu' }] : []),
  ]
  let kept = 0
  const fetchAs = async (host: LibvirtHost, suffix: string): Promise<void> => {
    for (const { file, name } of files) {
      const call = callOf(place, host.limits.evidence, never)
      // A log that cannot be had is not a reason to leave a guest half undone.
      await fetchLog(host.virsh, file, join(evidenceFolder, `${name}${suffix}.log`), call).catch(() => {})
    }
  }
  return {
    fetch: host => fetchAs(host, ''),
    keep: async host => {
      kept += 1
      await fetchAs(host, `-${kept}`)
    },
    remove: async host => {
      const call = callOf(place, host.limits.command, never)
      const pieces = files.flatMap(({ file }) => logPieces(file))
      await removeFiles(host.virsh, pieces, call).catch(() => {})
    },
  }
}
