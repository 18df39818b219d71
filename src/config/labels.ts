import { UsageError } from './errors.js'

/** What whoever starts a run says about it, such as the build that is tested: by key, in the order given. */
export type Labels = Readonly<Record<string, string>>

const keyPattern = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/
/** Of one value: a URL fits, a log does not. */
const longestValue = 1024
/** Of one run. */
const mostLabels = 64

/** What is wrong with a `key=value`, or `null`. */
export function labelMistake(text: string): string | null {
  const at = text.indexOf('=')
  if (at === -1) {
    return `must be KEY=VALUE, not "${text}"`
  }
  const value = text.slice(at + 1)
  if (!keyPattern.test(text.slice(0, at))) {
    return `needs a key of letters, digits, "_", "." and "-" that begins with a letter, not "${text.slice(0, at)}"`
  }
  if (value === '' || value.length > longestValue || /\p{Cc}/u.test(value)) {
    return `needs a value of 1 to ${longestValue} printable characters for "${text.slice(0, at)}"`
  }
  return null
}

/** Reads `key=value` texts that {@link labelMistake} has passed. @throws UsageError for a key that is given twice. */
export function readLabels(texts: readonly string[]): Labels {
  if (texts.length > mostLabels) {
    throw new UsageError(`a run has at most ${mostLabels} labels, not ${texts.length}`)
  }
  const labels = new Map<string, string>()
  for (const text of texts) {
    const at = text.indexOf('=')
    const key = text.slice(0, at)
    if (labels.has(key)) {
      throw new UsageError(`--label ${key} is given twice`)
    }
    labels.set(key, text.slice(at + 1))
  }
  return Object.fromEntries(labels)
}
