import type { Disk } from './system.js'

/** The same files, registry and event logs once more. */
export function copyOfWindowsDisk({ files, registry, events, clean }: Disk): Disk {
  return { files: files.copy(), registry: registry.copy(), events: events.copy(), clean }
}
