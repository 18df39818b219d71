/**
 * The lines of ours around a command's output: they prove that this command began, and that its output came whole. The
 * words are made anew for each command, so that nothing that was printed earlier can stand for them.
 */
import { randomBytes } from 'node:crypto'

/** The lines of one command. */
export interface FrameWords {
  /** Begins every line of ours. */
  readonly nonce: string
  /** What follows the nonce on the last line, before the status. Another secret: the first line does not give it away. */
  readonly end: string
  /** The lines before the output, in their order: with a pid, that sudo let it through, the nonce alone. */
  readonly begins: readonly BeginLine[]
}

/** A line before the output. */
export type BeginLine = 'pid' | 'sudo' | 'plain'

/** What the lines have told so far. */
export interface FrameSeen {
  /** How many of the lines before the output have come. */
  readonly begun: number
  /** The status on the line behind the output; `null` while none has come. */
  readonly status: number | null
  /** Why the lines cannot be believed; `null` if nothing speaks against them. */
  readonly doubt: string | null
  /** The start of what came before the next line that is due: a login's greeting, or why that line is missing. */
  readonly noise: string
}

/** Takes our lines out of a stream, however its chunks fall. */
export interface Frame {
  /** What of this chunk is the command's. */
  push(chunk: Buffer): Buffer
  /** What was held back as the possible start of a line of ours, when the stream has ended. */
  end(): Buffer
  seen(): FrameSeen
}

/** Noise that is kept to be shown. */
const keptNoiseBytes = 2_000
/** No line of ours is longer behind its nonce. */
const longestRestBytes = 48
const nothing = Buffer.alloc(0)
const wordBytes = 8
/** What stands behind the nonce on a line of ours; the word before the status must be this command's. */
const linePattern = /^(?: (\d{1,10})|(s)|([0-9a-z]+) (-?\d{1,11})|)[ \t]*\r?\n/

/** Makes the words of a new command. */
export function frameWords(begins: readonly BeginLine[]): FrameWords {
  const secret = randomBytes(2 * wordBytes).toString('hex')
  return { nonce: `gc${secret.slice(0, 2 * wordBytes)}`, end: `e${secret.slice(2 * wordBytes)}`, begins }
}

/** The word that stands on a line before the output, as a shell must print it. */
export function beginWord({ nonce }: FrameWords, line: BeginLine): string {
  return line === 'sudo' ? `${nonce}s` : nonce
}

/** The word before the status on the line behind the output. */
export function endWord({ nonce, end }: FrameWords): string {
  return `${nonce}${end}`
}

/**
 * Looks for the lines of ours. A line counts only in its exact form, wherever on a line it begins: a login may print
 * without a line end, and so may the command. What merely holds the words (a list of processes) is output like any
 * other. `onBegin` is told of each line before the output, with the pid where it has one.
 */
export function frame(words: FrameWords, onBegin: (index: number, pid: number | null) => void): Frame {
  const { nonce, end, begins } = words
  let held: Buffer = nothing
  let noise = nothing
  let begun = 0
  let status: number | null = null
  let doubt: string | null = null
  let bytesBehind = 0

  /** Made for the few chunks that end within a line of ours. */
  let startPattern: RegExp | null = null
  const isStart = (rest: string): boolean => {
    startPattern ??= new RegExp(`^(?: \\d*|s|${end} -?\\d*|${prefixes(`${end} `)})?[ \\t]*\\r?$`)
    return startPattern.test(rest)
  }

  const hasBegun = (): boolean => begun === begins.length

  /** What is not a line of ours. */
  const pass = (bytes: Buffer, out: Buffer[]): void => {
    if (bytes.length === 0) {
      return
    }
    if (!hasBegun()) {
      noise =
        noise.length < keptNoiseBytes ? Buffer.concat([noise, bytes.subarray(0, keptNoiseBytes)]) : noise
      return
    }
    bytesBehind += status === null ? 0 : bytes.length
    out.push(bytes)
  }

  const takeLine = ([, pid, sudo, , said]: RegExpExecArray): void => {
    if (said !== undefined) {
      doubt ??= !hasBegun() ? 'its last line came before its first' : null
      doubt ??= status === null ? null : `its last line came twice, with ${status} and ${said}`
      status ??= Number(said)
      return
    }
    const kind = pid !== undefined ? 'pid' : sudo !== undefined ? 'sudo' : 'plain'
    if (begins[begun] === kind) {
      begun += 1
      noise = nothing
      onBegin(begun - 1, pid === undefined ? null : Number(pid))
    } else {
      doubt ??= 'its first line came twice'
    }
  }

  const take = (chunk: Buffer): Buffer => {
    const out: Buffer[] = []
    let data = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    held = nothing
    let from = 0
    for (;;) {
      const at = data.indexOf(nonce, from, 'latin1')
      if (at < 0) {
        const keep = startOf(nonce, data.subarray(from))
        pass(data.subarray(0, data.length - keep), out)
        held = data.subarray(data.length - keep)
        break
      }
      const behind = at + nonce.length
      const rest = data.subarray(behind, behind + longestRestBytes).toString('latin1')
      const line = linePattern.exec(rest)
      if (line !== null && (line[3] ?? end) === end) {
        pass(data.subarray(0, at), out)
        takeLine(line)
        data = data.subarray(behind + line[0].length)
        from = 0
      } else if (behind + rest.length === data.length && isStart(rest)) {
        pass(data.subarray(0, at), out)
        held = data.subarray(at)
        break
      } else {
        from = behind
      }
    }
    return out.length === 1 && out[0] !== undefined ? out[0] : Buffer.concat(out)
  }

  return {
    push: take,
    end: () => {
      const out: Buffer[] = []
      pass(held, out)
      held = nothing
      return Buffer.concat(out)
    },
    seen: () => ({
      begun,
      status,
      doubt: doubt ?? (bytesBehind === 0 ? null : `output came behind its last line (${bytesBehind} bytes)`),
      noise: noise.subarray(0, keptNoiseBytes).toString('utf8'),
    }),
  }
}

/** How many bytes at the end of the data may be the start of the word. */
function startOf(word: string, data: Buffer): number {
  const tail = data.toString('latin1', Math.max(0, data.length - word.length + 1))
  for (let length = tail.length; length > 0; length -= 1) {
    if (tail.endsWith(word.slice(0, length))) {
      return length
    }
  }
  return 0
}

/** Every start of a word, as alternatives of a pattern. */
function prefixes(word: string): string {
  return Array.from(word, (_, index) => word.slice(0, index + 1)).join('|')
}
