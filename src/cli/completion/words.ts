import { commands } from '../commands.js'
import { globalFlags } from '../flags.js'
import type { ArgumentSpec, CommandSpec, Completes, FlagSpec } from '../spec.js'

/** What stands where a value is wanted: one of some words, something of the file system, or nothing known. */
export type Offer =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: Completes }
  | { readonly kind: 'nothing' }

/** What a shell may offer for a value. */
export function offerOf(spec: FlagSpec | ArgumentSpec): Offer {
  const { choices, completes } = spec
  const words = choices ?? ('suggests' in spec ? spec.suggests : undefined)
  if (words !== undefined) return { kind: 'words', words }
  return { kind: completes ?? 'nothing' }
}

/** First words of the program's commands, each with what it is about. */
export function firstWords(): readonly (readonly [word: string, about: string])[] {
  const words = new Map<string, string>()
  for (const { path, summary } of commands) {
    const [first = ''] = path
    if (path.length === 1) words.set(first, summary)
    else if (!words.has(first)) words.set(first, aboutGroup(first, summary))
  }
  return [...words]
}

function aboutGroup(group: string, summary: string): string {
  const second = secondWords(group)
  return second.length === 1 ? summary : `${second.join(', ')}: see ${group} --help`
}

/** First words that no command ends with: `lab`, `reports`. */
export function groupWords(): readonly string[] {
  return [...new Set(commands.filter(({ path }) => path.length > 1).map(({ path }) => path[0] ?? ''))]
}

/** The commands of a group. */
export function commandsOf(group: string): readonly CommandSpec[] {
  return commands.filter(({ path }) => path.length > 1 && path[0] === group)
}

/** The second words of a group. */
export function secondWords(group: string): readonly string[] {
  return commandsOf(group).map(({ path }) => path[1] ?? '')
}

/** Every flag of a command, those of all commands included. */
export function flagsOf(command: CommandSpec): readonly FlagSpec[] {
  return [...command.flags, ...globalFlags]
}

/** `--output -o`. */
export function spellings({ name, alias }: FlagSpec): readonly string[] {
  return alias === undefined ? [`--${name}`] : [`--${name}`, `-${alias}`]
}

/** The arguments of `help` are the words of commands. */
export function helpWords(): readonly string[] {
  return firstWords().map(([word]) => word)
}
