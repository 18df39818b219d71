import { type Bytes, toBuffer } from '../files/bytes.js'
import { SystemError } from '../files/errno.js'
import type { Process } from '../system/process.js'

/** Bytes that one program keeps of its input at most. */
const maxInputBytes = 128 * 1024 * 1024

/** Everything from a descriptor to its end. */
export async function readAll(process: Process, fd: number): Promise<Buffer> {
  const file = process.files.get(fd)
  if (!file) return Buffer.alloc(0)
  const chunks: Buffer[] = []
  let total = 0
  for (;;) {
    const chunk = await file.read(65_536, process.signal)
    if (chunk.length === 0) return Buffer.concat(chunks)
    total += chunk.length
    if (total > maxInputBytes) throw new SystemError('E2BIG', '', 'read')
    chunks.push(chunk)
  }
}

/** Writes to a descriptor; nothing happens where it is closed and there is nothing to say. */
export async function writeTo(process: Process, fd: number, text: Bytes): Promise<void> {
  if (text === '') return
  await process.files.need(fd).write(toBuffer(text), process.signal)
}
