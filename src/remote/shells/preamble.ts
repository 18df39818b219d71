/** Noise of a login shell's start-up files that is passed over in search of our line. */
const longestNoiseBytes = 64 * 1024
const lineFeed = 0x0a
const nothing = Buffer.alloc(0)

/** Takes our own lines off the front of a stream, however its chunks fall. */
export interface Preamble {
  /** What of this chunk belongs to the command. */
  push(chunk: Buffer): Buffer
  /** What was held back when the stream ended before our line came: it may say why. */
  end(): Buffer
  /** True when all our lines have come. */
  readonly isComplete: boolean
}

/**
 * Looks for one line after another, each beginning with its word; what stands before them is noise
 * and dropped. `onLine` gets what follows the word. After 64 KiB without our line all is let through.
 */
export function preamble(words: readonly string[], onLine: (index: number, rest: string) => void): Preamble {
  let found = 0
  let held: Buffer = nothing
  let hasGivenUp = false
  return {
    push: chunk => {
      if (hasGivenUp || found === words.length) {
        return chunk
      }
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      for (let word = words[found]; word !== undefined; word = words[found]) {
        const at = held.indexOf(word, 0, 'latin1')
        const end = at < 0 ? -1 : held.indexOf(lineFeed, at)
        if (end < 0) {
          break
        }
        onLine(
          found,
          held
            .subarray(at + word.length, end)
            .toString('latin1')
            .trim(),
        )
        held = held.subarray(end + 1)
        found += 1
      }
      hasGivenUp = found < words.length && held.length > longestNoiseBytes
      return hasGivenUp || found === words.length ? release() : nothing
    },
    end: () => (found === words.length ? nothing : release()),
    get isComplete() {
      return found === words.length
    },
  }

  function release(): Buffer {
    const rest = held
    held = nothing
    return rest
  }
}
