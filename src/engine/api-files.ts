import { fileNameOf } from '../config/file-name.js'
import type { PlannedTest } from '../plan/types.js'
import type { GuestSession } from './session.js'
import { demandStatus0 } from './status.js'
import type { WholeFiles } from './system.js'
import type { UndoStack } from './undo.js'

/** Files of a guest, as test modules use them. */
export interface GuestFiles extends WholeFiles {
  scratch(): Promise<string>
}

/** Files of a guest of either family. The scratch folder is removed by what `undo` holds. */
export function filesOf(
  session: GuestSession,
  test: Pick<PlannedTest, 'id'>,
  signal: AbortSignal,
  undo: UndoStack,
): GuestFiles {
  const { system } = session.source
  const folder = system.scratchFolder(session.folder, fileNameOf(test.id))
  let made: Promise<string> | null = null
  const make = async (): Promise<string> => {
    undo.push('scratch', until =>
      session.machine
        .run(system.removeCommand(folder), { signal: until, limitName: 'undo' })
        .then(result => demandStatus0(result, `${folder} could not be removed`)),
    )
    const result = await session.machine.run(system.makeCommand(folder), { signal })
    signal.throwIfAborted()
    demandStatus0(result, `${folder} could not be made`)
    return folder
  }
  return {
    ...system.files(session, signal),
    scratch: () => {
      made ??= make()
      return made
    },
  }
}
