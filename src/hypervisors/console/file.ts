import { open } from 'node:fs/promises'

const maxReadBytes = 1024 * 1024

/** Reads a file that another process appends to; each call gives what has come since the last one. */
export function followFile(file: string): () => Promise<Buffer> {
  let offset = 0
  return async () => {
    const handle = await open(file, 'r')
    try {
      const { size } = await handle.stat()
      // A console that floods is cut elsewhere; until then it is read in pieces.
      const length = Math.min(Math.max(0, size - offset), maxReadBytes)
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, offset)
      offset += bytesRead
      return buffer.subarray(0, bytesRead)
    } finally {
      await handle.close()
    }
  }
}
