/** Where a program reads from. Gives undefined at the end. */
export interface Source {
  read(signal: AbortSignal): Promise<Buffer | undefined>
}

/** Where a program writes to. */
export interface Sink {
  /** Some programs choose their encoding by what they write to. */
  readonly kind: 'channel' | 'pipe' | 'file' | 'nul'
  write(data: Buffer, signal: AbortSignal): Promise<void>
  close?(): void
}

/** The three standard handles. */
export interface Io {
  readonly stdin: Source
  readonly stdout: Sink
  readonly stderr: Sink
}

export const emptySource: Source = { read: async () => undefined }
export const nullSink: Sink = { kind: 'nul', write: async () => {} }

/** A sink that keeps what it is given. */
export function collector(kind: Sink['kind'] = 'pipe'): Sink & { bytes(): Buffer } {
  const chunks: Buffer[] = []
  return {
    kind,
    write: async data => {
      chunks.push(data)
    },
    bytes: () => Buffer.concat(chunks),
  }
}

/** A pipe between two programs. */
export function makePipe(): { readonly source: Source; readonly sink: Sink; broken(): void } {
  const chunks: Buffer[] = []
  let ended = false
  let wake = (): void => {}
  const source: Source = {
    read: async signal => {
      while (chunks.length === 0 && !ended) {
        await new Promise<void>((resolve, reject) => {
          if (signal.aborted) return reject(signal.reason)
          const stop = (): void => reject(signal.reason)
          signal.addEventListener('abort', stop, { once: true })
          wake = () => {
            signal.removeEventListener('abort', stop)
            resolve()
          }
        })
      }
      return chunks.shift()
    },
  }
  const sink: Sink = {
    kind: 'pipe',
    write: async data => {
      if (ended || data.length === 0) return
      chunks.push(Buffer.from(data))
      wake()
    },
    close: () => {
      ended = true
      wake()
    },
  }
  const broken = (): void => {
    ended = true
    chunks.length = 0
    wake()
  }
  return { source, sink, broken }
}

/** All bytes that a source has to give. */
export async function readAll(source: Source, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = []
  for (;;) {
    const chunk = await source.read(signal)
    if (!chunk) return Buffer.concat(chunks)
    chunks.push(chunk)
  }
}

/** Reads a source line by line, without the line ends. */
export class LineReader {
  readonly #source: Source
  #held = Buffer.alloc(0)
  #ended = false

  constructor(source: Source) {
    this.#source = source
  }

  /** The next line; undefined at the end. */
  async next(signal: AbortSignal): Promise<Buffer | undefined> {
    for (;;) {
      const at = this.#held.indexOf(10)
      if (at >= 0) {
        const end = at > 0 && this.#held[at - 1] === 13 ? at - 1 : at
        const line = this.#held.subarray(0, end)
        this.#held = this.#held.subarray(at + 1)
        return line
      }
      if (this.#ended) {
        const rest = this.#held
        this.#held = Buffer.alloc(0)
        return rest.length > 0 ? rest : undefined
      }
      const chunk = await this.#source.read(signal)
      if (chunk) this.#held = Buffer.concat([this.#held, chunk])
      else this.#ended = true
    }
  }

  /** What is left, to its end. */
  async rest(signal: AbortSignal): Promise<Buffer> {
    const held = this.#held
    this.#held = Buffer.alloc(0)
    return this.#ended ? held : Buffer.concat([held, await readAll(this.#source, signal)])
  }
}
