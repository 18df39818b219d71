import type { Writable } from 'node:stream'
import type { ServerChannel } from 'ssh2'
import { SystemError } from '../files/errno.js'
import { type FileHandle, OpenFile } from '../files/open-file.js'

/** What is done to output on its way; gives what goes out, and may wait. */
export type OutputFilter = (data: Buffer, signal: AbortSignal) => Promise<Buffer> | Buffer

/** Input that waits unread at most, in bytes, before the client is held back. */
const waitingBytes = 262_144

/** The client's input, as descriptor 0. */
export function inputFile(channel: ServerChannel, terminal: boolean): OpenFile {
  const chunks: Buffer[] = []
  let bytes = 0
  let ended = false
  let wake = (): void => {}
  channel.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > waitingBytes) channel.pause()
    wake()
  })
  const finish = (): void => {
    ended = true
    wake()
  }
  channel.once('end', finish)
  channel.once('close', finish)
  const handle: FileHandle = {
    kind: 'channel',
    terminal,
    read: async (max, signal) => {
      while (chunks.length === 0 && !ended) await changed(signal, it => (wake = it))
      const first = chunks.shift() ?? Buffer.alloc(0)
      const taken = first.subarray(0, max)
      if (taken.length < first.length) chunks.unshift(first.subarray(taken.length))
      bytes -= taken.length
      if (bytes < waitingBytes) channel.resume()
      return taken
    },
  }
  return new OpenFile(handle, 'socket:')
}

/** One of the client's output streams, as a descriptor. `closed` is told when nothing holds it any more. */
export function outputFile(
  channel: ServerChannel,
  stream: Writable,
  filter: OutputFilter,
  terminal: boolean,
  closed: () => void,
): OpenFile {
  const handle: FileHandle = {
    kind: 'channel',
    terminal,
    write: async (data, signal) => {
      const out = await filter(data, signal)
      if (channel.destroyed || !channel.writable) throw new SystemError('EPIPE', 'socket:', 'write')
      if (out.length === 0 || stream.write(out)) return
      await drained(channel, stream, signal)
    },
    close: closed,
  }
  return new OpenFile(handle, 'socket:')
}

function changed(signal: AbortSignal, keep: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const stop = (): void => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    keep(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    })
  })
}

function drained(channel: ServerChannel, stream: Writable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const settle = (): void => {
      stream.off('drain', settle)
      channel.off('close', settle)
      signal.removeEventListener('abort', stop)
      resolve()
    }
    const stop = (): void => {
      stream.off('drain', settle)
      channel.off('close', settle)
      reject(signal.reason)
    }
    stream.once('drain', settle)
    channel.once('close', settle)
    signal.addEventListener('abort', stop, { once: true })
  })
}
