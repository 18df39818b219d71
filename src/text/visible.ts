/** A text without what a reader does not see, and where each of its characters stands in the whole. */
export interface Visible {
  readonly text: string
  /** The index in the whole of a character of `text`. */
  at(index: number): number
}

/** A line's end with the indentation and comment mark of the next, and C0 controls. */
const gaps = '\\r*\\n[ \\t#]*|[\\0-\\x08\\x0b-\\x1f\\x7f]'
/** C1 controls and invisible marks as characters, and as bytes of UTF-8, also where the last of them are still to come. */
const marks = '[\\x80-\\x9f\\u00ad\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]'
const markBytes =
  '\\xc2[\\x80-\\x9f\\xad]|\\xd8\\x9c|\\xe2\\x80[\\x8b-\\x8f\\xa8-\\xae]|\\xe2\\x81[\\xa0-\\xaf]|\\xef\\xbb\\xbf|(?:[\\xc2\\xd8\\xe2\\xef]|\\xe2[\\x80\\x81]|\\xef\\xbb)$'
/** Escape sequences, also one whose end has not come yet. */
const escapes =
  '\\x1b\\[[0-?]*[ -/]*(?:[@-~]|$)|\\x1b[PX\\]^_][^\\x07\\x1b]*(?:\\x07|\\x1b\\\\|$)|\\x1b[ -/]*(?:[0-~]|$)'

/** Whether a text is of characters, or of bytes that were read as Latin-1. */
export type Alphabet = 'characters' | 'bytes'

const patterns: Readonly<Record<Alphabet, readonly [plain: RegExp, withEscapes: RegExp]>> = {
  characters: [new RegExp(`${gaps}|${marks}`, 'g'), new RegExp(`${escapes}|${gaps}|${marks}`, 'g')],
  bytes: [new RegExp(`${gaps}|${markBytes}`, 'g'), new RegExp(`${escapes}|${gaps}|${markBytes}`, 'g')],
}

/**
 * What readers may see of a text: all but line ends and controls, and, where it has any, all but escape sequences
 * too. What is put between the characters of a secret parts it in no report.
 */
export function viewsOf(text: string, alphabet: Alphabet): readonly Visible[] {
  const [plain, withEscapes] = patterns[alphabet]
  return text.includes('\x1b') ? [without(text, plain), without(text, withEscapes)] : [without(text, plain)]
}

function without(whole: string, pattern: RegExp): Visible {
  const parts: string[] = []
  /** Where each part begins, in the visible text and in the whole. */
  const starts: number[] = []
  const origins: number[] = []
  let [from, length] = [0, 0]
  const add = (to: number): void => {
    if (to > from) {
      parts.push(whole.slice(from, to))
      starts.push(length)
      origins.push(from)
      length += to - from
    }
  }
  for (const found of whole.matchAll(pattern)) {
    add(found.index)
    from = found.index + found[0].length
  }
  add(whole.length)
  return {
    text: parts.join(''),
    at: index => {
      let [low, high] = [0, starts.length - 1]
      while (low < high) {
        const middle = Math.ceil((low + high) / 2)
        if ((starts[middle] ?? 0) <= index) low = middle
        else high = middle - 1
      }
      return (origins[low] ?? 0) + index - (starts[low] ?? 0)
    },
  }
}
