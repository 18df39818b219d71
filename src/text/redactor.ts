import { formsOf, longestFirst } from './secret-forms.js'
import { type Alphabet, type Visible, viewsOf } from './visible.js'

/** What stands in a report in the place of a secret. */
export const redacted = '[secret]'

/** What is held back of a stream, at most: it may go on as a secret. */
const mostHeldBack = 64 * 1024

interface Forms {
  readonly pattern: RegExp
  readonly texts: readonly string[]
}

/** Keeps secrets out of what is written down or shown, also when a guest says one back in another form. */
export class Redactor {
  readonly #forms: Readonly<Record<Alphabet, Forms>> | null

  /** Every secret is replaced: weak ones, which that would reveal, must have been left out (see `weakness`). */
  constructor(secrets: readonly string[]) {
    const forms = secrets.filter(secret => secret !== '').map(formsOf)
    const all = (texts: readonly string[]): Forms => {
      const sorted = longestFirst(texts)
      return { texts: sorted, pattern: new RegExp(sorted.map(escaped).join('|'), 'g') }
    }
    this.#forms =
      forms.length === 0
        ? null
        : { characters: all(forms.flatMap(one => one.texts)), bytes: all(forms.flatMap(one => one.bytes)) }
  }

  /** True when there is nothing to keep. */
  get isIdle(): boolean {
    return this.#forms === null
  }

  /** The text without the secrets. */
  text(text: string): string {
    const tooShort = text.length < (this.#forms?.characters.texts.at(-1)?.length ?? 0)
    return this.#forms === null || tooShort
      ? text
      : replaceIn(text, rangesIn(viewsOf(text, 'characters'), this.#forms.characters))
  }

  /** The same for all texts of a value, its keys included. */
  value<T>(value: T): T {
    return this.#forms === null ? value : (this.#deep(value) as T)
  }

  /** The same for bytes. */
  bytes(bytes: Buffer): Buffer {
    const stream = this.stream()
    return Buffer.concat([stream.push(bytes), stream.end()])
  }

  /** The same for bytes that come piece by piece. */
  stream(): RedactedStream {
    return new RedactedStream(this.#forms?.bytes ?? null)
  }

  #deep(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map(one => this.#deep(one))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [this.text(key), this.#deep(one)]))
  }
}

/** Bytes without secrets; what may be the beginning of one is held back until it is known to be none. */
export class RedactedStream {
  readonly #forms: Forms | null
  #held = ''

  constructor(forms: Forms | null) {
    this.#forms = forms
  }

  push(chunk: Buffer): Buffer {
    if (this.#forms === null) return chunk
    const text = this.#held + chunk.toString('latin1')
    const views = viewsOf(text, 'bytes')
    const ranges = rangesIn(views, this.#forms)
    const { texts } = this.#forms
    const begun = Math.min(...views.map(view => beginningIn(view, texts) ?? text.length))
    const from = Math.max(begun, ranges.at(-1)?.[1] ?? 0)
    const hold = text.length - from > mostHeldBack ? text.length : from
    this.#held = text.slice(hold)
    return Buffer.from(replaceIn(text.slice(0, hold), ranges), 'latin1')
  }

  /** What is still held back. */
  end(): Buffer {
    const rest = Buffer.from(this.#held, 'latin1')
    this.#held = ''
    return rest
  }
}

type Range = readonly [from: number, to: number]

function rangesIn(views: readonly Visible[], { pattern }: Forms): Range[] {
  const found = views.flatMap(({ text, at }) =>
    [...text.matchAll(pattern)].map(
      (match): Range => [at(match.index), at(match.index + match[0].length - 1) + 1],
    ),
  )
  const merged: Range[] = []
  for (const [from, to] of found.sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1)
    if (last !== undefined && from < last[1]) merged[merged.length - 1] = [last[0], Math.max(last[1], to)]
    else merged.push([from, to])
  }
  return merged
}

function replaceIn(text: string, ranges: readonly Range[]): string {
  if (ranges.length === 0) return text
  const parts: string[] = []
  let kept = 0
  for (const [from, to] of ranges) {
    parts.push(text.slice(kept, from), redacted)
    kept = to
  }
  return parts.join('') + text.slice(kept)
}

/** Where the end of a text may be the beginning of a secret; `null` where it is not. */
function beginningIn({ text, at }: Visible, forms: readonly string[]): number | null {
  let longest = 0
  for (const form of forms) {
    for (let length = Math.min(form.length - 1, text.length); length > longest; length -= 1) {
      if (
        text.charCodeAt(text.length - 1) === form.charCodeAt(length - 1) &&
        text.endsWith(form.slice(0, length))
      ) {
        longest = length
      }
    }
  }
  return longest === 0 ? null : at(text.length - longest)
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
