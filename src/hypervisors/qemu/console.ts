import { appendFile, stat } from 'node:fs/promises'
import type { Limit } from './limit.js'
import type { QmpClient } from './qmp.js'

/** A guest that floods its console shall not fill the runner's disk. */
export const maxConsoleBytes: number = 64 * 1024 * 1024
const lookEveryMs = 5000

/**
 * Looks after a guest's console file, and lets QEMU throw away what comes once it has grown too large; the
 * file then says so in its last line. The answer ends it.
 */
export function guardConsole(
  qmp: QmpClient,
  file: string,
  limit: Limit,
  maxBytes: number = maxConsoleBytes,
): () => void {
  const ended = new AbortController()
  const look = async (): Promise<void> => {
    const size = await stat(file).then(
      found => found.size,
      () => 0,
    )
    if (size < maxBytes || ended.signal.aborted) {
      return
    }
    clearInterval(timer)
    const backend = { type: 'null', data: {} }
    await qmp.execute('chardev-change', { id: 'console', backend }, limit, ended.signal)
    await appendFile(file, `\n[guestcert: the console is cut here, after ${size} bytes]\n`)
  }
  // A QEMU that no longer answers is noticed elsewhere.
  const timer = setInterval(() => void look().catch(() => {}), lookEveryMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    ended.abort()
  }
}
