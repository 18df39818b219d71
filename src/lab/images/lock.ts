import { execa } from 'execa'
import { InfraError } from '../../config/errors.js'
import { toolPath } from '../../hypervisors/shared/tool.js'

/** Who waits longer than this is told that another holds the lock. */
const waitNoticeMs = 1000

/**
 * Does something while no other process does it under the same lock file.
 *
 * The kernel holds the lock for a child (flock of util-linux), and the child lives as long as our end of
 * its standard input: a runner that is killed leaves no lock behind.
 */
export async function withLock<T>(
  file: string,
  signal: AbortSignal,
  onWait: () => void,
  action: () => Promise<T>,
): Promise<T> {
  const holder = execa('flock', ['--exclusive', file, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    reject: false,
    stdin: 'pipe',
    cancelSignal: signal,
    env: { PATH: toolPath() },
  })
  const notice = setTimeout(onWait, waitNoticeMs)
  try {
    if (!(await speaks(holder.stdout))) {
      const { shortMessage } = await holder
      throw new InfraError(`the lock ${file} could not be taken: ${shortMessage ?? 'flock ended'}`, {
        cause: 'runner',
        where: file,
        code: signal.aborted ? 'cancelled' : 'command',
      })
    }
    clearTimeout(notice)
    return await action()
  } finally {
    clearTimeout(notice)
    holder.stdin.end()
    await holder
  }
}

/** True when something comes, false when it ends without. */
function speaks(stream: NodeJS.ReadableStream): Promise<boolean> {
  return new Promise(resolve => {
    stream.once('data', () => resolve(true))
    stream.once('end', () => resolve(false))
  })
}
