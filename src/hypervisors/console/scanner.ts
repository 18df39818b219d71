import { type CrashPattern, crashOf } from './crashes.js'

/** A crash that a console told of. */
export interface Crash {
  readonly name: CrashPattern['name']
  /** The line, cleaned and cut to size. */
  readonly line: string
}

/** Kernels cut their lines before this (`LOG_LINE_MAX`); a longer one is looked at in pieces. */
const maxLineBytes = 4096
/** Pieces overlap by more than any pattern is long, so that none is cut in two. */
const overlapBytes = 512
const maxShownLength = 200

/** Looks for crashes in the bytes of a console, in whatever pieces they come. */
export class ConsoleScanner {
  readonly #onCrash: (crash: Crash) => void
  #rest: Buffer = Buffer.alloc(0)
  /** True when the rest of this line has been told of already. */
  #told = false

  constructor(onCrash: (crash: Crash) => void) {
    this.#onCrash = onCrash
  }

  push(chunk: Buffer): void {
    let start = 0
    for (let at = 0; at < chunk.length; at += 1) {
      if (chunk[at] === lineFeed || chunk[at] === carriageReturn) {
        this.#add(chunk.subarray(start, at))
        this.#look()
        this.#rest = Buffer.alloc(0)
        this.#told = false
        start = at + 1
      }
    }
    this.#add(chunk.subarray(start))
  }

  /** Looks at a line that has no end yet: a machine that stops in the middle of one writes no more. */
  flush(): void {
    this.#look()
  }

  #add(bytes: Buffer): void {
    for (let start = 0; start < bytes.length; start += maxLineBytes) {
      this.#rest = Buffer.concat([this.#rest, bytes.subarray(start, start + maxLineBytes)])
      if (this.#rest.length > maxLineBytes) {
        this.#look()
        this.#rest = this.#rest.subarray(-overlapBytes)
      }
    }
  }

  #look(): void {
    if (this.#told || this.#rest.length === 0) {
      return
    }
    const text = this.#rest.toString('latin1')
    const pattern = crashOf(text)
    if (pattern !== null) {
      this.#told = true
      this.#onCrash({ name: pattern.name, line: shown(text, text.search(pattern.pattern)) })
    }
  }
}

const lineFeed = 0x0a
const carriageReturn = 0x0d

/** What a terminal is told with escapes is not part of the message; nor is anything else that cannot be seen. */
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g

/** The line from its beginning; of a long one the part with the message. */
function shown(text: string, at: number): string {
  const from = text.length - at > 0 && at > maxShownLength / 2 ? at : 0
  const clean = text
    .slice(from, from + maxLineBytes)
    .replace(escapes, '')
    .replace(/[^\x21-\x7e]+/g, ' ')
    .trim()
  return clean.length > maxShownLength ? `${clean.slice(0, maxShownLength)}…` : clean
}
