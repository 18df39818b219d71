/** Ends what programs wrote to the process's own output during an attempt. No program writes it by accident. */
export function endMark(token: number): Buffer {
  return Buffer.from(`\0guestcert ${token} end\0\n`)
}

/** Passes output on, and finds the mark that ends it, wherever the chunks were cut. */
export class MarkedOutput {
  readonly #mark: Buffer
  readonly #pass: (bytes: Buffer) => void
  #held: Buffer = Buffer.alloc(0)

  constructor(mark: Buffer, pass: (bytes: Buffer) => void) {
    this.#mark = mark
    this.#pass = pass
  }

  /** True when the mark has come: nothing after it belongs to the attempt. */
  push(chunk: Buffer): boolean {
    const all = Buffer.concat([this.#held, chunk])
    const at = all.indexOf(this.#mark)
    const end = at === -1 ? all.length - this.#begunMark(all) : at
    if (end > 0) this.#pass(all.subarray(0, end))
    this.#held = all.subarray(end)
    return at !== -1
  }

  /** How many bytes at the end may be the beginning of the mark. */
  #begunMark(all: Buffer): number {
    for (let length = Math.min(all.length, this.#mark.length - 1); length > 0; length -= 1) {
      if (all.subarray(all.length - length).equals(this.#mark.subarray(0, length))) return length
    }
    return 0
  }
}
