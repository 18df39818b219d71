import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { quote } from '../../remote/index.js'
import type { CallOptions, HostCommands } from './host-commands.js'

/** A guest that floods its log shall not fill the runner's disk. */
export const maxLogBytes: number = 64 * 1024 * 1024
/** Older pieces that virtlogd keeps when a log has grown, newest first (`max_backups` of virtlogd.conf). */
const backups = [0, 1, 2, 3]

/** Fetches a log from the host into a file of the runner's; what is beyond the bound is its beginning. */
export async function fetchLog(
  commands: HostCommands,
  file: string,
  to: string,
  call: CallOptions,
): Promise<void> {
  const pieces = logPieces(file).reverse().map(quote).join(' ')
  const stream = createWriteStream(to)
  const failed = finished(stream)
  failed.catch(() => {})
  await commands.run(`cat ${pieces} 2>/dev/null|tail -c ${maxLogBytes}`, {
    ...call,
    keepBytes: 0,
    onStdout: chunk =>
      new Promise((resolve, reject) => {
        stream.write(chunk, error => (error ? reject(error) : resolve()))
      }),
  })
  stream.end()
  await failed
}

/** The files of a log on the host, the newest first. */
export function logPieces(file: string): string[] {
  return [file, ...backups.map(number => `${file}.${number}`)]
}
