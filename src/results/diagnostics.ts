import { bounds, cutText } from './document.js'

/** A finished block: what is given to the parser in its stead, and the line after it. */
interface Block {
  readonly stand: readonly string[]
  readonly next: number
}

/**
 * Takes YAML diagnostics out of what the parser sees, and gives the raw text back to the point they belong to.
 * A guest's YAML is so never interpreted: it may be large, hold strange tags, or be no YAML at all.
 */
export class DiagnosticBlocks {
  readonly #lines: readonly string[]
  readonly #texts = new Map<string, string>()
  /** For each indentation, the line up to which no block of it ends. */
  readonly #endless = new Map<string, number>()
  #count = 0

  constructor(lines: readonly string[]) {
    this.#lines = lines
  }

  /** How many finished blocks no point has claimed. */
  get unclaimed(): number {
    return this.#texts.size
  }

  /** The block whose `---` stands on line `at`, if it is one and has an end. */
  startingAt(at: number): Block | null {
    const indent = /^( +)---$/.exec(this.#lines[at] ?? '')?.[1]
    if (indent === undefined || at < (this.#endless.get(indent) ?? 0)) return null
    const body: string[] = []
    for (let next = at + 1; next < this.#lines.length; next++) {
      const line = this.#lines[next] ?? ''
      if (line === `${indent}...`) return this.#keep(indent, body, next + 1)
      if (line !== '' && !line.startsWith(indent)) {
        this.#endless.set(indent, next)
        return null
      }
      body.push(line.slice(indent.length))
    }
    this.#endless.set(indent, this.#lines.length)
    return null
  }

  /** The text of the block that the parser read as `diagnosis`; empty when there was none. */
  claim(diagnosis: unknown): string {
    if (typeof diagnosis !== 'string') return ''
    const text = this.#texts.get(diagnosis) ?? ''
    this.#texts.delete(diagnosis)
    return cutText(text, bounds.diagnostics)
  }

  #keep(indent: string, body: readonly string[], next: number): Block {
    const key = `block ${++this.#count}`
    this.#texts.set(key, body.join('\n').trimEnd())
    return { stand: [`${indent}---`, `${indent}"${key}"`, `${indent}...`], next }
  }
}
