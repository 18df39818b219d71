import type { WriteFrame } from './frames.js'

/** What a module prints is evidence, and is written as directly as its checks are. */
export function redirectOutput(write: WriteFrame): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    const redirected = (
      chunk: string | Uint8Array,
      encoding?: BufferEncoding | (() => void),
      done?: () => void,
    ): boolean => {
      const bytes =
        typeof chunk === 'string'
          ? Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8')
          : chunk
      write({ kind: 'output', stream, bytes })
      const callback = typeof encoding === 'function' ? encoding : done
      if (callback !== undefined) process.nextTick(callback)
      return true
    }
    Object.defineProperty(process[stream], 'write', { value: redirected, configurable: true, writable: true })
  }
}
