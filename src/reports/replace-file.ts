import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { InternalError } from '../config/errors.js'

/** The whole, or its pieces in order. */
type Content = string | Uint8Array | readonly string[]

/**
 * Writes a report in one step: a reader sees the former file or the new one, never a part. Makes its folder.
 *
 * @throws InternalError when it cannot be written.
 */
export async function replaceFile(path: string, content: Content): Promise<void> {
  const unfinished = `${path}.${process.pid}.tmp`
  try {
    await writeNew(unfinished, content).catch(async () => {
      await mkdir(dirname(path), { recursive: true })
      // One that a run was killed over may be left; whoever put a link there is not followed.
      await rm(unfinished, { force: true })
      await writeNew(unfinished, content)
    })
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined)
    throw unwritten(path, error)
  }
}

function writeNew(path: string, content: Content): Promise<void> {
  return writeFile(path, content, { flag: 'wx' })
}

/** A report that could not be written, and why. */
export function unwritten(path: string, error: unknown): InternalError {
  const why = error instanceof Error ? error.message : String(error)
  return new InternalError(`the report ${path} cannot be written: ${why}`, { cause: error })
}
