import { lstat, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileNameOf } from '../../config/file-name.js'
import type { RunState } from '../../journal/state.js'
import { replaceFile, unwritten } from '../replace-file.js'
import { attachmentsFrom } from './attachments.js'
import { type JunitOptions, junitFor, runSuites } from './build.js'
import { documentEnd, documentHead, type Profile } from './document.js'

/** The folder of each profile in a run's folder. */
export const junitFolders: Readonly<Record<Profile, string>> = { rich: 'junit', strict: 'junit-strict' }

/** What is written, and as seen from where. */
export interface WriteOptions {
  /** Only these environments; all when absent. */
  readonly environments?: readonly string[]
  /** Where readers of the files start from, for attachments. Absolute; no attachments are named when absent. */
  readonly workspace?: string
  /** The run's folder, if the files do not go there. */
  readonly evidenceFolder?: string
  /** Failures that are forgiven. */
  readonly waived?: JunitOptions['waived']
}

/**
 * Writes one JUnit file an environment and profile into `folder`, and one for trouble that belongs to none, each in
 * one step: a reader sees the former file or the new one, never a part. Returns the paths.
 *
 * @throws InternalError when a file cannot be written.
 */
export async function writeJunit(
  folder: string,
  state: RunState,
  options: WriteOptions = {},
): Promise<readonly string[]> {
  const { workspace, evidenceFolder = folder } = options
  const attachments =
    workspace === undefined ? {} : { attachments: attachmentsFrom(workspace, evidenceFolder) }
  const waived = options.waived === undefined ? {} : { waived: options.waived }
  const ids = options.environments ?? state.environments.map(({ planned }) => planned.id)
  const written: string[] = []
  for (const profile of ['rich', 'strict'] as const) {
    const target = join(folder, junitFolders[profile])
    // The run's folder may be a stranger's: nothing is written where a link leads.
    const found = await lstat(target).catch(() => null)
    if (found?.isSymbolicLink()) throw unwritten(target, new Error('it is a link'))
    for (const id of ids) {
      const path = join(target, `${fileNameOf(id)}.xml`)
      await replaceFile(path, junitFor(state, id, { profile, ...attachments, ...waived }))
      written.push(path)
    }
    const path = join(target, runFile)
    const { text, counts } = runSuites(state, { profile })
    if (text === '') {
      await rm(path, { force: true })
    } else {
      const { run, durationMs, openedAt: startedAt } = state
      const head = documentHead({ profile, run, counts, durationMs, startedAt })
      await replaceFile(path, `${head}${text}${documentEnd}`)
      written.push(path)
    }
  }
  return written
}

/** What belongs to no environment. It is there only if there is any; no environment's file can have the name. */
const runFile = 'run.xml'
