import type { Session, Verb } from './session.js'

/** The text of a command's usage. */
export function usageOf(name: string, { flags, words, does, about }: Verb): string {
  const options = about === undefined ? '\n' : `\nOptions:\n\n${about}\n`
  return `Usage: xl [-${flags}] ${name} ${words}\n\n${does}.\n${options}`
}

/** Words and options apart, as getopt does; a text for an option that there is not. */
export function readWords(
  { options: letters = '', long = {} }: Verb,
  given: readonly string[],
): Pick<Session, 'words' | 'options'> | string {
  const words: string[] = []
  const options = new Map<string, string>()
  for (let at = 0; at < given.length; at++) {
    const word = given[at] ?? ''
    if (word === '--') {
      words.push(...given.slice(at + 1))
      break
    }
    if (!/^-./.test(word)) {
      words.push(word)
      continue
    }
    const [name = '', value] = word.split('=', 2)
    const known = word.startsWith('--') ? (name === '--help' ? 'h' : long[name.slice(2)]) : undefined
    // The letter of a long option that there is not is a null character.
    if (word.startsWith('--') && known === undefined) return "option `\0' not supported."
    for (const letter of known ?? word.slice(1)) {
      if (letter !== 'h' && (letter === ':' || !letters.includes(letter))) {
        return `option \`${letter}' not supported.`
      }
      const takes = letters.includes(`${letter}:`)
      options.set(letter, takes ? (value ?? given[++at] ?? '') : '')
    }
  }
  return { words, options }
}
