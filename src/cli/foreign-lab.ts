import { realpath } from 'node:fs/promises'
import { UsageError } from '../config/errors.js'
import { isInside } from '../journal/run-path.js'

/** A lab file may name drivers, which are programs: that of a stranger is not read. */
export async function refuseForeignLab(lab: string, folder: string): Promise<void> {
  const real = await realpath(lab).catch(() => lab)
  if (isInside(real, await realpath(folder))) {
    throw new UsageError(
      `${lab} lies in the run's folder, of which nothing is executed: use another with --lab`,
    )
  }
}
