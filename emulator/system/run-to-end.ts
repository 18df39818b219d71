import { SystemError } from '../files/errno.js'
import { type ExitStatus, Killed, type Process } from './process.js'
import { signalNumbers } from './signals.js'

/** The number that a shell shows as `$?`. */
export function statusCode(status: ExitStatus): number {
  return 'code' in status ? status.code & 0xff : 128 + signalNumbers[status.signal]
}

/** Runs a process's work to its end: by itself, by a signal, or by a fault of the emulator. */
export async function runToEnd(process: Process, work: () => Promise<number>): Promise<ExitStatus> {
  let status: ExitStatus
  try {
    status = { code: (await process.whileAlive(work())) & 0xff }
  } catch (error) {
    status = await endOf(process, error)
  }
  process.end(status)
  return status
}

async function endOf(process: Process, error: unknown): Promise<ExitStatus> {
  if (error instanceof Killed) return { signal: error.signal }
  if (error instanceof SystemError && error.code === 'EPIPE') {
    process.deliver('PIPE')
    return process.signal.aborted ? { signal: 'PIPE' } : { code: 1 }
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const stderr = process.files.get(2)
  await stderr?.write(Buffer.from(`emulator: ${message}\n`), process.signal).catch(() => {})
  return { code: 125 }
}
