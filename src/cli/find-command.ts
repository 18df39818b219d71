import { UsageError } from '../config/errors.js'
import { nearest } from '../config/nearest.js'
import type { CommandSpec } from './spec.js'
import { either } from './values.js'

/** The command that words name, or the group of commands that they begin. */
export interface Found {
  readonly command: CommandSpec | null
  /** Commands whose names begin so, where none is named so. */
  readonly group: readonly CommandSpec[]
  /** How many words name it. */
  readonly words: number
}

/** Finds a command by its words. @throws UsageError with the nearest name when there is none. */
export function findCommand(words: readonly string[], commands: readonly CommandSpec[]): Found {
  const [first = '', second] = words
  const group = commands.filter(({ path }) => path[0] === first)
  if (group.length === 0) {
    const known = [...new Set(commands.map(({ path }) => path[0] ?? ''))]
    throw new UsageError(`unknown command "${first}"${hint(first, known)}`)
  }
  const alone = group.find(({ path }) => path.length === 1)
  if (alone !== undefined) return { command: alone, group, words: 1 }
  if (second === undefined) return { command: null, group, words: 1 }
  const command = group.find(({ path }) => path[1] === second)
  if (command === undefined) {
    const known = group.map(({ path }) => path[1] ?? '')
    throw new UsageError(
      `unknown command "${first} ${second}"${hint(second, known, `known: ${either(known)}`)}`,
    )
  }
  return { command, group, words: 2 }
}

/** What to say after a name that is not known: the nearest known one, or where to look. */
export function hint(word: string, known: readonly string[], otherwise = 'see guestcert --help'): string {
  const near = nearest(word, known)
  return near === null ? `: ${otherwise}` : `: did you mean "${near}"?`
}
