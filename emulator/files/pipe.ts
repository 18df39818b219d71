import { SystemError } from './errno.js'
import { type FileHandle, OpenFile } from './open-file.js'

/** Bytes a pipe holds before its writers wait: Linux's default. */
const capacityBytes = 65_536

/** A pipe with back-pressure: readers see the end when every writer is closed, writers see EPIPE. */
export class Pipe {
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #writers = 0
  #readers = 0
  readonly #waiting = new Set<() => void>()

  /** A descriptor to read from. */
  reader(): OpenFile {
    this.#readers++
    const handle: FileHandle = {
      kind: 'pipe',
      read: (max, signal) => this.#read(max, signal),
      close: () => {
        this.#readers--
        this.#wake()
      },
    }
    return new OpenFile(handle, 'pipe:')
  }

  /** A descriptor to write to. */
  writer(): OpenFile {
    this.#writers++
    const handle: FileHandle = {
      kind: 'pipe',
      write: (data, signal) => this.#write(data, signal),
      close: () => {
        this.#writers--
        this.#wake()
      },
    }
    return new OpenFile(handle, 'pipe:')
  }

  async #read(max: number, signal: AbortSignal): Promise<Buffer> {
    while (this.#bytes === 0) {
      if (this.#writers === 0) return Buffer.alloc(0)
      await this.#changed(signal)
    }
    const first = this.#chunks[0] ?? Buffer.alloc(0)
    const taken = first.subarray(0, max)
    if (taken.length === first.length) this.#chunks.shift()
    else this.#chunks[0] = first.subarray(taken.length)
    this.#bytes -= taken.length
    this.#wake()
    return taken
  }

  async #write(data: Buffer, signal: AbortSignal): Promise<void> {
    let rest = data
    while (rest.length > 0) {
      if (this.#readers === 0) throw new SystemError('EPIPE', 'pipe:', 'write')
      const room = capacityBytes - this.#bytes
      if (room <= 0) {
        await this.#changed(signal)
        continue
      }
      const part = rest.subarray(0, room)
      this.#chunks.push(Buffer.from(part))
      this.#bytes += part.length
      rest = rest.subarray(part.length)
      this.#wake()
    }
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resume of waiting) resume()
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const stop = (): void => {
        this.#waiting.delete(resume)
        reject(signal.reason)
      }
      const resume = (): void => {
        signal.removeEventListener('abort', stop)
        resolve()
      }
      signal.addEventListener('abort', stop, { once: true })
      this.#waiting.add(resume)
    })
  }
}
