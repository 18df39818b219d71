import { commands, nameOf, purpose, usageOf, variables } from '../src/cli/commands.js'
import { globalFlags } from '../src/cli/flags.js'
import { argumentEntry, flagEntry } from '../src/cli/help.js'
import type { Entry } from '../src/cli/layout.js'
import type { CommandSpec } from '../src/cli/spec.js'
import { exitMeanings, exitPrecedence } from '../src/journal/exit.js'

/** `docs/cli.md`, made of the same data as parsing and help. */
export function cliPage(): string {
  return `${[
    '<!-- Made by scripts/generate-docs.ts from src/cli: change it there. -->',
    '# The command line',
    purpose,
    '```\nguestcert COMMAND [ARGUMENTS] [FLAGS]\n```',
    'Every command explains itself with `--help`. A flag takes its value as `--flag value` or `--flag=value`.',
    ...groups().map(overview),
    '## Flags of every command',
    table(['Flag', ''], globalFlags.map(flagEntry)),
    '## Environment',
    table(['Variable', ''], variables),
    '## Exit codes',
    table(
      ['Code', 'Meaning'],
      exitMeanings.map(({ code, meaning }): Entry => [String(code), meaning]),
    ),
    `Where several apply, the first of these is it: ${exitPrecedence.join(', ')}. Optional tests do not change the exit code; what became of them is printed.`,
    ...commands.map(section),
  ].join('\n\n')}\n`
}

function groups(): string[] {
  return [...new Set(commands.map(({ group }) => group))]
}

function overview(group: string): string {
  const rows = commands
    .filter(command => command.group === group)
    .map((command): Entry => [`[${nameOf(command)}](#guestcert-${command.path.join('-')})`, command.summary])
  return `## ${group}\n\n${table(['Command', ''], rows, text => text)}`
}

function section(command: CommandSpec): string {
  const { description, flags, examples, exits } = command
  return [
    `## guestcert ${nameOf(command)}`,
    `${command.summary}.`,
    `\`\`\`\n${usageOf(command)}\n\`\`\``,
    ...description,
    ...(command.arguments.length === 0
      ? []
      : [table(['Argument', ''], command.arguments.map(argumentEntry))]),
    ...(flags.length === 0 ? [] : [table(['Flag', ''], flags.map(flagEntry))]),
    ...(examples.length === 0
      ? []
      : [`\`\`\`sh\n${examples.map(({ line, does }) => `${line}    # ${does}`).join('\n')}\n\`\`\``]),
    `Exit codes: ${exits.join(', ')}.`,
  ].join('\n\n')
}

function table(
  headings: readonly string[],
  rows: readonly Entry[],
  name: (text: string) => string = text => `\`${text}\``,
): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [
    line(headings),
    line(headings.map(() => '---')),
    ...rows.map(([first, text]) => line([name(first.trim()), escaped(text)])),
  ].join('\n')
}

/** Stars and angle brackets have a meaning in Markdown. */
function escaped(text: string): string {
  return text.replace(/[*<>_]/g, '\\$&')
}
