import { commands } from '../commands.js'
import { globalFlags } from '../flags.js'
import type { ArgumentSpec, CommandSpec, FlagSpec } from '../spec.js'
import { commandsOf, firstWords, flagsOf, groupWords, helpWords, type Offer, offerOf } from './words.js'

/** A completion script for zsh, for `source` and for a folder of `$fpath`. */
export function zshCompletion(): string {
  const single = commands.filter(({ path }) => path.length === 1)
  return `#compdef guestcert
# Completion of guestcert for zsh: source <(guestcert completion zsh), after compinit
_guestcert() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C ${globalFlags.map(flagSpec).join(' ')} '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands=(${firstWords().map(described).join(' ')})
      _describe -t commands command commands ;;
    argument)
      case $words[1] in
${single.map(command => `        ${command.path[0]}) ${argumentsCall(command)} ;;`).join('\n')}
${groupWords()
  .map(group => `        ${group}) _guestcert_${group} ;;`)
  .join('\n')}
      esac ;;
  esac
}
${groupWords().map(groupFunction).join('')}_guestcert_runs() {
  local -a runs=(latest reports/*/journal.ndjson(N:h:t))
  compadd -a runs
}
if [[ $funcstack[1] == _guestcert ]]; then _guestcert "$@"; else compdef _guestcert guestcert; fi
`
}

function groupFunction(group: string): string {
  const own = commandsOf(group)
  return `_guestcert_${group}() {
  local curcontext=$curcontext state line
  _arguments -C ${globalFlags.map(flagSpec).join(' ')} '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands=(${own.map(({ path, summary }) => described([path[1] ?? '', summary])).join(' ')})
      _describe -t commands command commands ;;
    argument)
      case $words[1] in
${own.map(command => `        ${command.path[1]}) ${argumentsCall(command)} ;;`).join('\n')}
      esac ;;
  esac
}
`
}

function argumentsCall(command: CommandSpec): string {
  const positions = command.arguments.map((argument, index) => argumentSpec(command, argument, index))
  return `_arguments ${[...flagsOf(command).map(flagSpec), ...positions].join(' ')}`
}

function flagSpec(flag: FlagSpec): string {
  const { name, alias, value, repeatable, description } = flag
  const text = `[${escaped(description)}]`
  const message = value === undefined ? '' : `:${value}:${action(offerOf(flag))}`
  const assigned = value === undefined ? '' : '='
  const repeats = repeatable ? '*' : ''
  const long = quoted(`${repeats}--${name}${assigned}${text}${message}`)
  return alias === undefined ? long : `${long} ${quoted(`${repeats}-${alias}${text}${message}`)}`
}

function argumentSpec(command: CommandSpec, argument: ArgumentSpec, index: number): string {
  const offer =
    command.path[0] === 'help' ? ({ kind: 'words', words: helpWords() } as const) : offerOf(argument)
  const position = argument.repeatable ? '*' : `${index + 1}`
  return quoted(`${position}:${argument.name}:${action(offer)}`)
}

function action(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return `(${offer.words.join(' ')})`
    case 'file':
      return '_files'
    case 'folder':
      return '_files -/'
    case 'run':
      return '_guestcert_runs'
    case 'nothing':
      return ' '
  }
}

function described([word, about]: readonly [string, string]): string {
  return quoted(`${word}:${about}`)
}

/** Within `_arguments`, brackets and colons have a meaning. */
function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, '\\$&')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
