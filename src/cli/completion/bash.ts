import { commands, nameOf } from '../commands.js'
import { globalFlags } from '../flags.js'
import type { CommandSpec } from '../spec.js'
import { flagsOf, groupWords, helpWords, type Offer, offerOf, secondWords, spellings } from './words.js'

/** A completion script for bash 3.2 and later, without bash-completion's helpers. */
export function bashCompletion(): string {
  const valued = commands.flatMap(({ flags }) => flags).filter(({ value }) => value !== undefined)
  const takers = [...new Set(valued.flatMap(spellings))]
  return `# Completion of guestcert for bash: source <(guestcert completion bash)
_guestcert() {
  local cur=\${COMP_WORDS[COMP_CWORD]} flag= word command i
  local -a given=()
  COMPREPLY=()
  # What stands before the cursor: the command, its arguments, and a flag that still wants its value.
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $flag ]]; then
      [[ $word == = ]] || flag=
      continue
    fi
    case $word in
      ${takers.join('|')}) flag=$word ;;
      -*) ;;
      *) given+=("$word") ;;
    esac
  done
  [[ $cur == = ]] && cur=
  command=\${given[0]-}
  case $command in
    ${groupWords().join('|')}) command="$command \${given[1]-}" ;;
  esac
  local count=\${#given[@]}
  case $command in *' '*) count=$((count - 1)) ;; esac
  if [[ -n $flag ]]; then
    case "$command $flag" in
${indented(commands.flatMap(flagCases), 6)}
    esac
  elif [[ $cur == -* ]]; then
    case $command in
${indented(
  commands.map(
    command => `'${nameOf(command)}') ${words(flagsOf(command).map(({ name }) => `--${name}`))} ;;`,
  ),
  6,
)}
      *) ${words(globalFlags.map(({ name }) => `--${name}`))} ;;
    esac
  else
    case "$command:$count" in
      :*) ${words(helpWords())} ;;
${indented(
  groupWords().map(group => `'${group} :'*) ${words(secondWords(group))} ;;`),
  6,
)}
${indented(commands.flatMap(argumentCases), 6)}
    esac
  fi
}
_guestcert_runs() {
  local journal
  printf 'latest\\n'
  for journal in reports/*/journal.ndjson; do
    [[ -e $journal ]] && journal=\${journal%/*} && printf '%s\\n' "\${journal##*/}"
  done
}
complete -F _guestcert guestcert
`
}

function flagCases(command: CommandSpec): string[] {
  return command.flags
    .filter(flag => flag.value !== undefined && offerOf(flag).kind !== 'nothing')
    .map(flag => {
      const patterns = spellings(flag).map(spelling => `'${nameOf(command)} ${spelling}'`)
      return `${patterns.join('|')}) ${reply(offerOf(flag))} ;;`
    })
}

function argumentCases(command: CommandSpec): string[] {
  return command.arguments.flatMap((argument, index) => {
    const position = argument.repeatable ? '*' : index + 1
    const offer =
      nameOf(command) === 'help' ? ({ kind: 'words', words: helpWords() } as const) : offerOf(argument)
    return offer.kind === 'nothing' ? [] : [`'${nameOf(command)}:'${position}) ${reply(offer)} ;;`]
  })
}

/** File names may hold blanks. */
const byLine = "compopt -o filenames 2>/dev/null; local IFS=$'\\n';"

function reply(offer: Offer): string {
  switch (offer.kind) {
    case 'words':
      return words(offer.words)
    case 'file':
      return `${byLine} COMPREPLY=($(compgen -f -- "$cur"))`
    case 'folder':
      return `${byLine} COMPREPLY=($(compgen -d -- "$cur"))`
    case 'run':
      return 'COMPREPLY=($(compgen -W "$(_guestcert_runs)" -- "$cur"))'
    case 'nothing':
      return ':'
  }
}

function words(list: readonly string[]): string {
  return `COMPREPLY=($(compgen -W '${list.join(' ')}' -- "$cur"))`
}

function indented(lines: readonly string[], by: number): string {
  return lines.map(line => ' '.repeat(by) + line).join('\n')
}
