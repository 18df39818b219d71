import { commands } from '../commands.js'
import { globalFlags } from '../flags.js'
import type { CommandSpec, FlagSpec } from '../spec.js'
import { commandsOf, firstWords, groupWords, helpWords, type Offer, offerOf, secondWords } from './words.js'

/** A completion script for fish 3. */
export function fishCompletion(): string {
  const lines = [
    '# Completion of guestcert for fish: guestcert completion fish | source',
    'function __guestcert_runs',
    '    echo latest',
    '    for journal in reports/*/journal.ndjson',
    '        basename (dirname $journal)',
    '    end',
    'end',
    'complete -c guestcert -f',
    ...globalFlags.map(flag => flagLine(flag, null)),
    ...firstWords().map(
      ([word, about]) => `complete -c guestcert -n __fish_use_subcommand -a ${word} -d ${quoted(about)}`,
    ),
    ...groupWords().flatMap(groupLines),
    ...commands.flatMap(commandLines),
  ]
  return `${lines.join('\n')}\n`
}

function groupLines(group: string): string[] {
  const others = secondWords(group).join(' ')
  const condition = `__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${others}`
  return commandsOf(group).map(
    ({ path, summary }) =>
      `complete -c guestcert -n ${quoted(condition)} -a ${path[1] ?? ''} -d ${quoted(summary)}`,
  )
}

function commandLines(command: CommandSpec): string[] {
  const condition = command.path.map(word => `__fish_seen_subcommand_from ${word}`).join('; and ')
  const offers =
    command.path[0] === 'help'
      ? [{ kind: 'words', words: helpWords() } as const]
      : command.arguments.map(offerOf)
  return [
    ...command.flags.map(flag => flagLine(flag, condition)),
    ...offers.flatMap(offer => {
      const words = offered(offer)
      return words === '' ? [] : [`complete -c guestcert -n ${quoted(condition)} ${words}`]
    }),
  ]
}

function flagLine(flag: FlagSpec, condition: string | null): string {
  const { name, alias, value, description } = flag
  const parts = [
    'complete -c guestcert',
    ...(condition === null ? [] : [`-n ${quoted(condition)}`]),
    `-l ${name}`,
    ...(alias === undefined ? [] : [`-s ${alias}`]),
    ...(value === undefined ? [] : [valueOffered(offerOf(flag))]),
    `-d ${quoted(description)}`,
  ]
  return parts.filter(part => part !== '').join(' ')
}

/** A value is wanted; files are offered only where they are one. */
function valueOffered(offer: Offer): string {
  return offer.kind === 'file' ? '-r -F' : `-x ${offered(offer)}`.trimEnd()
}

function offered(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return `-a ${quoted(offer.words.join(' '))}`
    case 'file':
      return '-F'
    case 'folder':
      return "-a '(__fish_complete_directories)'"
    case 'run':
      return "-a '(__guestcert_runs)'"
    case 'nothing':
      return ''
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
