import type { Readable } from 'node:stream'
import type { Output, Sink } from '../machine.js'
import type { Frame } from './frame.js'

/** How the bytes of one stream are taken. */
export interface CollectOptions {
  readonly keepBytes: number
  readonly sink?: Sink
  /** Takes our own lines out. */
  readonly frame?: Frame
  /** Called for every chunk, and when a slow sink is ready again. */
  readonly onActivity: () => void
  /** The sink failed: what it was to hold is not held. */
  readonly onSinkError: (error: unknown) => void
}

/** One stream being taken. */
export interface Collected {
  /** Settles when the stream has ended and its sink has taken everything. */
  readonly ended: Promise<void>
  /** True while the sink has not taken the last chunk. */
  readonly isSinkBusy: boolean
  output(): Output
}

/**
 * Takes a stream chunk by chunk. While a sink's promise is pending the stream is paused, which closes
 * SSH's window and so holds the writer on the other side up. Memory holds `keepBytes` of it.
 */
export function collect(stream: Readable, options: CollectOptions): Collected {
  const { keepBytes, sink, frame, onActivity, onSinkError } = options
  const kept: Buffer[] = []
  let [keptBytes, totalBytes] = [0, 0]
  let last: Promise<void> | null = null
  let isSinkBusy = false

  const take = (chunk: Buffer): void => {
    if (chunk.length === 0) {
      return
    }
    totalBytes += chunk.length
    if (keptBytes < keepBytes) {
      const piece = chunk.subarray(0, keepBytes - keptBytes)
      kept.push(piece)
      keptBytes += piece.length
    }
    give(chunk)
  }

  const give = (chunk: Buffer): void => {
    if (sink === undefined) {
      return
    }
    try {
      const pending = sink(chunk)
      if (pending instanceof Promise) {
        stream.pause()
        isSinkBusy = true
        last = pending.catch(onSinkError).then(() => {
          isSinkBusy = false
          onActivity()
          stream.resume()
        })
      }
    } catch (error) {
      onSinkError(error)
    }
  }

  stream.on('data', (chunk: Buffer) => {
    onActivity()
    take(frame === undefined ? chunk : frame.push(chunk))
  })
  const ended = new Promise<void>(resolve => {
    stream.once('end', () => {
      if (frame !== undefined) {
        take(frame.end())
      }
      void (last ?? Promise.resolve()).then(() => resolve())
    })
  })

  return {
    ended,
    get isSinkBusy() {
      return isSinkBusy
    },
    output: () => {
      const bytes = kept.length === 1 && kept[0] !== undefined ? kept[0] : Buffer.concat(kept)
      return { text: bytes.toString('utf8'), bytes, totalBytes, truncated: totalBytes > keptBytes }
    },
  }
}
