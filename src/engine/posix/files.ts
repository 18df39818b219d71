import { quote } from '../../remote/index.js'
import type { GuestSession } from '../session.js'
import { demandStatus0 } from '../status.js'
import type { WholeFiles } from '../system.js'

/** Files of a guest with a POSIX shell: all that they need is `cat` and `wc`. */
export function posixFiles(session: GuestSession, signal: AbortSignal): WholeFiles {
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
