import { parseArgs } from 'node:util'
import { UsageError } from '../config/errors.js'
import { nearest } from '../config/nearest.js'
import type { ParsedArgs } from './args.js'
import { nameOf, usageOf } from './commands.js'
import { findCommand, hint } from './find-command.js'
import { globalFlags } from './flags.js'
import type { CommandSpec, FlagSpec } from './spec.js'
import { either, mistakeIn } from './values.js'

/** What a command line asks for. */
export type Request =
  | { readonly kind: 'help'; readonly command: CommandSpec | null }
  | { readonly kind: 'version' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'command'; readonly command: CommandSpec; readonly args: ParsedArgs }

/** Reads a command line. @throws UsageError quoting what is wrong, with the nearest known name. */
export function parse(argv: readonly string[], commands: readonly CommandSpec[]): Request {
  const words = leadingWords(argv)
  const asked = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length)
  if (asked.includes('--version') || asked.includes('-V')) return { kind: 'version' }
  const wantsHelp = asked.includes('--help') || asked.includes('-h')
  if (words.length === 0) {
    const [unknown] = tokensOf(argv, globalFlags).filter(({ flag }) => flag === null)
    if (unknown !== undefined) throw misplacedFlag(unknown.raw, commands)
    return wantsHelp ? { kind: 'help', command: null } : { kind: 'nothing' }
  }
  const { command, group, words: used } = findCommand(words, commands)
  if (command === null) {
    if (wantsHelp) return { kind: 'help', command: null }
    const names = group.map(({ path }) => path[1] ?? '')
    throw new UsageError(`"${words[0]}" needs a second word: ${either(names)}`)
  }
  if (wantsHelp) return { kind: 'help', command }
  return { kind: 'command', command, args: readArgs(argv, command, used) }
}

/** The words that may name a command: those before the first flag that is not a switch of every command. */
function leadingWords(argv: readonly string[]): string[] {
  const words: string[] = []
  for (const arg of argv) {
    if (!arg.startsWith('-')) words.push(arg)
    else if (!globalFlags.some(flag => arg === `--${flag.name}` || arg === `-${flag.alias}`)) break
  }
  return words
}

function readArgs(argv: readonly string[], command: CommandSpec, used: number): ParsedArgs {
  const specs = [...command.flags, ...globalFlags]
  const flags = new Map<string, string[]>()
  for (const { flag, raw, value, inline } of tokensOf(argv, specs)) {
    if (flag === null) throw unknownFlag(raw, specs, `guestcert ${nameOf(command)}`)
    flags.set(flag.name, [...(flags.get(flag.name) ?? []), ...flagValues(flag, raw, value, inline)])
  }
  for (const spec of specs) {
    if (spec.default !== undefined && !flags.has(spec.name)) flags.set(spec.name, [spec.default])
  }
  return { command: nameOf(command), arguments: readPositionals(argv, command, used), flags }
}

function flagValues(flag: FlagSpec, raw: string, value: string | undefined, inline: boolean): string[] {
  if (flag.value === undefined) {
    if (value !== undefined) throw new UsageError(`${raw} takes no value`)
    return []
  }
  // A flag's name in the place of a value is a value that was forgotten.
  if (value === undefined || (!inline && /^-./.test(value))) {
    throw new UsageError(`${raw} needs a value: ${raw} ${flag.value}`)
  }
  const mistake = mistakeIn(flag, value)
  if (mistake !== null) throw new UsageError(`${raw} ${mistake}`)
  return [value]
}

function readPositionals(
  argv: readonly string[],
  command: CommandSpec,
  used: number,
): Map<string, readonly string[]> {
  const given = positionalsOf(argv, [...command.flags, ...globalFlags]).slice(used)
  const values = new Map<string, readonly string[]>()
  for (const spec of command.arguments) {
    const taken = spec.repeatable ? given.splice(0) : given.splice(0, 1)
    if (taken.length === 0 && !spec.optional) {
      throw new UsageError(`${nameOf(command)} needs ${spec.name}: ${usageOf(command)}`)
    }
    for (const value of taken) {
      const mistake = mistakeIn(spec, value)
      if (mistake !== null) {
        throw new UsageError(`${spec.name} ${mistake}${spec.choices ? suggestion(value, spec.choices) : ''}`)
      }
    }
    if (taken.length > 0) values.set(spec.name, taken)
  }
  const [extra] = given
  if (extra !== undefined) throw new UsageError(`unexpected argument "${extra}": ${usageOf(command)}`)
  return values
}

interface FlagToken {
  /** `null` when no such flag is known. */
  readonly flag: FlagSpec | null
  /** As it was typed, without its value. */
  readonly raw: string
  readonly value: string | undefined
  readonly inline: boolean
}

function tokensOf(argv: readonly string[], specs: readonly FlagSpec[]): FlagToken[] {
  return tokenize(argv, specs).flatMap(token => {
    if (token.kind !== 'option') return []
    const flag = specs.find(({ name }) => name === token.name) ?? null
    return [{ flag, raw: token.rawName, value: token.value, inline: token.inlineValue === true }]
  })
}

function positionalsOf(argv: readonly string[], specs: readonly FlagSpec[]): string[] {
  return tokenize(argv, specs).flatMap(token => (token.kind === 'positional' ? [token.value] : []))
}

function tokenize(argv: readonly string[], specs: readonly FlagSpec[]) {
  const options = Object.fromEntries(
    specs.map(({ name, alias, value }) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: true,
        ...(alias === undefined ? {} : { short: alias }),
      },
    ]),
  )
  return parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true }).tokens
}

function unknownFlag(raw: string, specs: readonly FlagSpec[], where: string): UsageError {
  const known = specs.map(({ name }) => `--${name}`)
  return new UsageError(`unknown option ${raw} for "${where}"${hint(raw, known)}`)
}

/** A flag before any command: it may be one of a command's. */
function misplacedFlag(raw: string, commands: readonly CommandSpec[]): UsageError {
  const owner = commands.find(({ flags }) =>
    flags.some(({ name, alias }) => raw === `--${name}` || raw === `-${alias}`),
  )
  return owner === undefined
    ? unknownFlag(raw, [...globalFlags, ...commands.flatMap(({ flags }) => flags)], 'guestcert')
    : new UsageError(`${raw} comes after its command: guestcert ${nameOf(owner)} … ${raw} …`)
}

function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known)
  return near === null ? '' : `: did you mean "${near}"?`
}
