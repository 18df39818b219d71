import type { Generation } from './generation.js'

/** An option of a virsh command. Options without a dash are taken in their order. */
export interface OptionRule {
  readonly name: string
  readonly kind: 'flag' | 'value' | 'required'
  readonly since?: string
}

/** What a command was given. */
export interface Given {
  has(name: string): boolean
  value(name: string): string | undefined
  /** A required option's value. */
  need(name: string): string
}

/** Arguments that the command does not take: one line an error. */
export class WrongArguments extends Error {
  readonly lines: readonly string[]

  constructor(lines: readonly string[]) {
    super(lines.join('\n'))
    this.lines = lines
  }
}

/** Reads a command's arguments as vshCommandParse does. Throws WrongArguments. */
export function parseArguments(
  command: string,
  rules: readonly OptionRule[],
  words: readonly string[],
  generation: Generation,
): Given {
  const known = rules.filter(({ since }) => generation.has(since))
  const found = new Map<string, string>()
  const free = known.filter(({ kind }) => kind !== 'flag').map(({ name }) => name)
  for (let place = 0; place < words.length; place++) {
    const word = words[place] ?? ''
    const [, name, value] = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(word) ?? []
    if (name === undefined) {
      const next = free.find(option => !found.has(option))
      if (next === undefined) throw new WrongArguments([`unexpected data '${word}'`])
      found.set(next, word)
      continue
    }
    const rule = known.find(option => option.name === name)
    if (!rule) throw new WrongArguments([`command '${command}' doesn't support option --${name}`])
    if (rule.kind === 'flag') {
      found.set(name, '')
      continue
    }
    const given = value ?? words[++place]
    if (given === undefined) throw new WrongArguments([`expected syntax: --${name} <string>`])
    found.set(name, given)
  }
  const missing = known.filter(({ kind, name }) => kind === 'required' && !found.has(name))
  if (missing.length > 0) {
    throw new WrongArguments(missing.map(({ name }) => `command '${command}' requires <${name}> option`))
  }
  return {
    has: name => found.has(name),
    value: name => found.get(name),
    need: name => found.get(name) ?? '',
  }
}

/** virsh of old joins its words with blanks and splits them again, at quotes and backslashes too. */
export function splitAgain(words: readonly string[]): string[] {
  const found: string[] = []
  for (const [, double, single, plain] of words.join(' ').matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g)) {
    found.push(double ?? single ?? plain ?? '')
  }
  return found
}
