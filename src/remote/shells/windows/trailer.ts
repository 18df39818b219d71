import type { Output, Sink } from '../../machine.js'

/** The true status of a command, on a line of ours behind its output. */
export interface Trailer {
  /** Takes what the command prints, and hands on what is the command's. */
  readonly sink: Sink
  /** Hands on what was held back and is not ours; call it when the output has ended. */
  end(): Promise<void>
  /** The status, unsigned; `null` when the line never came. */
  status(): number | null
  /** The output without our line. */
  strip(output: Output): Output
}

/** Holds back the end of a stream, in which a line `WORD STATUS` may stand. */
export function trailer(word: string, next: Sink | undefined): Trailer {
  const longest = word.length + 20
  const pattern = new RegExp(`(?:^|\\n)?${word} (-?\\d+)\\s*$`)
  let held = Buffer.alloc(0)
  let found: number | null = null
  return {
    sink: async chunk => {
      held = Buffer.concat([held, chunk])
      const free = held.length - longest
      if (free > 0) {
        const passed = held.subarray(0, free)
        held = held.subarray(free)
        await next?.(passed)
      }
    },
    end: async () => {
      const text = held.toString('latin1')
      const match = pattern.exec(text)
      found = match === null ? null : Number(match[1]) >>> 0
      const rest = held.subarray(0, match === null ? held.length : text.indexOf(word))
      if (rest.length > 0) {
        await next?.(rest)
      }
      held = Buffer.alloc(0)
    },
    status: () => found,
    strip: output => {
      const at = output.bytes.lastIndexOf(word, undefined, 'latin1')
      if (at < 0) {
        return output
      }
      const bytes = output.bytes.subarray(0, at)
      return { ...output, bytes, totalBytes: output.totalBytes - (output.bytes.length - at) }
    },
  }
}
