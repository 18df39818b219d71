import { randomBytes } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { InternalError, UsageError } from '../config/errors.js'
import { registrationDigits } from '../config/registration.js'
import type { Certify } from '../journal/events.js'

/** The plan's name in a run's folder. */
export const planFile = 'plan.json'

/** The name of the short result for programs in a run's folder. */
export const summaryFile = 'summary.json'

/**
 * Sorts by time, and two runs of one second do not collide: `20261123-093012-4f1c`. The name of a registered run ends in
 * the first digits of its registration's leaf hash.
 */
export function runId(now: Date, certify?: Certify): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
  return `${stamp}-${certify?.registration.slice(0, registrationDigits) ?? randomBytes(2).toString('hex')}`
}

/** Makes a run's folder and those above it. @throws UsageError */
export async function makeRunFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    throw new UsageError(`cannot make the run's folder ${folder}: ${messageOf(error)}`)
  }
}

/** Writes a JSON file of a run in one step. @throws InternalError */
export async function writeJson(path: string, value: unknown): Promise<void> {
  try {
    const unfinished = `${path}.${process.pid}.tmp`
    await writeFile(unfinished, `${JSON.stringify(value, null, 2)}\n`)
    await rename(unfinished, path)
  } catch (error) {
    throw new InternalError(`${path} cannot be written: ${messageOf(error)}`, { cause: error })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
