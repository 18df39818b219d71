import { fileNameOf } from '../config/file-name.js'
import { asWindows } from '../guests/windows/boot-identity.js'
import type { PlannedTest } from '../plan/types.js'
import { type CommandResult, quote, type WindowsMachine } from '../remote/index.js'
import { commandText } from '../remote/shells/windows/catalog.js'
import type { GuestSession } from './session.js'
import type { UndoStack } from './undo.js'

/** Files of a guest, as test modules use them. */
export interface GuestFiles {
  readBytes(path: string): Promise<Uint8Array>
  writeFile(path: string, content: string | Uint8Array): Promise<void>
  scratch(): Promise<string>
}

/** Files of a guest of either family. The scratch folder is removed by what `undo` holds. */
export function filesOf(
  session: GuestSession,
  test: Pick<PlannedTest, 'id'>,
  signal: AbortSignal,
  undo: UndoStack,
): GuestFiles {
  const { environment, system } = session.source
  const isWindows = environment.guest.family === 'windows'
  const folder = `${session.folder}${isWindows ? '\\' : '/scratch/'}${fileNameOf(test.id)}`
  const files = isWindows ? windowsFiles(session, signal) : posixFiles(session, signal)
  let made: Promise<string> | null = null
  const make = async (): Promise<string> => {
    undo.push('scratch', until =>
      session.machine
        .run(system.removeCommand(folder), { signal: until, limitName: 'undo' })
        .then(result => demandStatus0(result, `${folder} could not be removed`)),
    )
    const command = isWindows
      ? commandText('mkdir', { FOLDER: folder })
      : `umask 077&&mkdir -p ${quote(folder)}`
    const result = await session.machine.run(command, { signal })
    signal.throwIfAborted()
    demandStatus0(result, `${folder} could not be made`)
    return folder
  }
  return {
    ...files,
    scratch: () => {
      made ??= make()
      return made
    },
  }
}

function posixFiles(session: GuestSession, signal: AbortSignal): Omit<GuestFiles, 'scratch'> {
  return {
    readBytes: async path => {
      const machine = await session.connected(signal)
      const result = await machine.run(`cat <${quote(path)}`, { signal })
      signal.throwIfAborted()
      demandStatus0(result, `${path} could not be read`)
      if (result.stdout.truncated) {
        throw new Error(`${path} could not be read whole: it has more bytes than the limit "output"`)
      }
      return result.stdout.bytes
    },
    writeFile: async (path, content) => {
      const bytes = Buffer.from(content)
      const machine = await session.connected(signal)
      const result = await machine.run(`cat >${quote(path)}&&wc -c <${quote(path)}`, {
        signal,
        stdin: bytes,
        limitMs: session.source.limits.transfer,
        limitName: 'transfer',
      })
      signal.throwIfAborted()
      demandStatus0(result, `${path} could not be written`)
      const written = Number(result.stdout.text.trim())
      if (written !== bytes.length) {
        throw new Error(
          `${path} has ${written} bytes on the guest, not the ${bytes.length} that were written`,
        )
      }
    },
  }
}

function windowsFiles(session: GuestSession, signal: AbortSignal): Omit<GuestFiles, 'scratch'> {
  const machine = (): WindowsMachine => asWindows(session.machine)
  return {
    readBytes: async path => machine().readFile(path, signal),
    writeFile: (path, content) => machine().writeFile(path, Buffer.from(content), signal),
  }
}

function demandStatus0({ exit, stderr }: CommandResult, otherwise: string): void {
  if (exit.kind !== 'code' || exit.code !== 0) {
    const said = stderr.text.trim().slice(0, 200)
    throw new Error(`${otherwise}: ${said === '' ? `the end was ${JSON.stringify(exit)}` : said}`)
  }
}
