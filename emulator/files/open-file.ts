import { SystemError } from './errno.js'

/** What an open file can be asked to do. Reads give an empty buffer at the end of the file. */
export interface FileHandle {
  readonly kind: 'file' | 'pipe' | 'char' | 'block' | 'directory' | 'channel'
  read?(max: number, signal: AbortSignal): Promise<Buffer> | Buffer
  write?(data: Buffer, signal: AbortSignal): Promise<void> | void
  /** Sets the offset in bytes from the start; absent where seeking is illegal. */
  seek?(offset: number): void
  truncate?(length: number): void
  /** True when the other end is a terminal. */
  readonly terminal?: boolean
  /** Called once, when the last descriptor is closed. */
  close?(): void
}

/** An open file description, shared by the descriptors that were duplicated from it. */
export class OpenFile {
  #references = 1
  readonly handle: FileHandle
  readonly path: string

  constructor(handle: FileHandle, path: string) {
    this.handle = handle
    this.path = path
  }

  retain(): this {
    this.#references++
    return this
  }

  release(): void {
    if (--this.#references === 0) this.handle.close?.()
  }

  async read(max: number, signal: AbortSignal): Promise<Buffer> {
    if (!this.handle.read)
      throw new SystemError(this.handle.kind === 'directory' ? 'EISDIR' : 'EBADF', this.path, 'read')
    return this.handle.read(max, signal)
  }

  async write(data: Buffer, signal: AbortSignal): Promise<void> {
    if (!this.handle.write) throw new SystemError('EBADF', this.path, 'write')
    if (data.length > 0) await this.handle.write(data, signal)
  }
}

/** The descriptors of one process. */
export class Descriptors {
  readonly #files = new Map<number, OpenFile>()
  #closed = false

  get(fd: number): OpenFile | undefined {
    return this.#files.get(fd)
  }

  /** The open file, or EBADF. */
  need(fd: number): OpenFile {
    const file = this.#files.get(fd)
    if (!file) throw new SystemError('EBADF', String(fd), 'dup')
    return file
  }

  /** Puts a file at `fd`, taking over the caller's reference, and closes what was there. */
  set(fd: number, file: OpenFile): void {
    if (this.#closed) {
      file.release()
      return
    }
    const before = this.#files.get(fd)
    this.#files.set(fd, file)
    before?.release()
  }

  close(fd: number): void {
    const before = this.#files.get(fd)
    this.#files.delete(fd)
    before?.release()
  }

  list(): number[] {
    return [...this.#files.keys()].sort((a, b) => a - b)
  }

  /** The same open files under the same numbers, as after `fork`. */
  fork(): Descriptors {
    const copy = new Descriptors()
    for (const [fd, file] of this.#files) copy.#files.set(fd, file.retain())
    return copy
  }

  /** The process has ended: what is put here afterwards is closed at once. */
  closeAll(): void {
    this.#closed = true
    for (const fd of this.list()) this.close(fd)
  }
}
