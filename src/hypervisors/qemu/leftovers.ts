import type { Leftover } from '../driver.js'
import { findOrphans, type Orphan, removeOrphan } from './instances.js'

/** Whether an orphan is a host's: one that cannot be read is anybody's. */
export function isOn(host: string): (orphan: Orphan) => boolean {
  return ({ record }) => record === null || record.host === host
}

/** An orphan as `guestcert lab clean` speaks of it. */
export function describeOrphan({ name, record, running }: Orphan): Leftover {
  const what = running ? 'QEMU, running, and its overlay' : 'overlay and logs'
  return {
    name,
    run: /^gc-(.+)-e\d+-\d+$/.exec(name)?.[1] ?? null,
    what: record === null ? what : `${what}; made ${record.createdAt}`,
    shared: false,
    kept: running && record?.kept === true,
  }
}

/** Removes an orphan, if it still is one: a runner that lives keeps its own. */
export async function cleanOrphan(cacheFolder: string, name: string): Promise<void> {
  const orphan = (await findOrphans(cacheFolder)).find(one => one.name === name)
  if (orphan !== undefined) {
    await removeOrphan(orphan)
  }
}
