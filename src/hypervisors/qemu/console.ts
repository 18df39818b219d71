import { appendFile, stat } from 'node:fs/promises'
import type { Limit } from '../limit.js'
import type { QmpClient } from './qmp.js'

/** How far a guest's console file may grow, and how often that is looked at. */
export interface ConsoleBounds {
  readonly maxBytes: number
  readonly everyMs: number
}

/**
 * Looks after a guest's console file, which shall not fill the runner's disk, and lets QEMU throw away what comes once it has grown too large; the
 * file then says so in its last line. The answer ends it.
 */
export function guardConsole(
  qmp: QmpClient,
  file: string,
  limit: Limit,
  { maxBytes, everyMs }: ConsoleBounds,
): () => void {
  const ended = new AbortController()
  const look = async (): Promise<void> => {
    const { size } = await stat(file)
    if (size < maxBytes || ended.signal.aborted) {
      return
    }
    clearInterval(timer)
    const backend = { type: 'null', data: {} }
    await qmp.execute('chardev-change', { id: 'console', backend }, limit, ended.signal)
    const { size: bytes } = await stat(file)
    await appendFile(file, `\n[guestcert: the console is cut here, after ${bytes} bytes]\n`)
  }
  // A QEMU that no longer answers is noticed elsewhere.
  const timer = setInterval(() => void look().catch(() => {}), everyMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    ended.abort()
  }
}
