import { exitMeanings } from '../journal/exit.js'
import { commands, nameOf, purpose, usageOf, variables } from './commands.js'
import { globalFlags } from './flags.js'
import { columns, type Entry, widest, wrap } from './layout.js'
import type { ArgumentSpec, CommandSpec, FlagSpec } from './spec.js'
import { either } from './values.js'

/** How help is drawn. */
export interface HelpStyle {
  readonly width: number
  readonly heading: (text: string) => string
  readonly faint: (text: string) => string
}

const widestHelp = 100

/** As wide as the terminal, but no wider than reads well. */
export function helpWidth(terminal: number | undefined): number {
  return Math.min(terminal ?? 80, widestHelp)
}

/** What `guestcert --help` prints. */
export function programHelp(style: HelpStyle): string {
  const { heading, width } = style
  const entries = commands.map(
    (command): Entry => [usageOf(command).split(' ').slice(1, -1).join(' '), command.summary],
  )
  const nameWidth = widest(entries)
  const groups = [...new Set(commands.map(({ group }) => group))].map(group => {
    const own = entries.filter((_, index) => commands[index]?.group === group)
    return `${heading(group)}\n${columns(own, width, nameWidth)}`
  })
  return [
    `${wrap(purpose, width).join('\n')}\n`,
    `${heading('Usage')}\n  guestcert COMMAND [ARGUMENTS] [FLAGS]\n`,
    ...groups,
    flagSection('Flags', globalFlags, style),
    `${heading('Environment')}\n${columns(variables, width)}`,
    exitSection(
      exitMeanings.map(({ code }) => code),
      style,
    ),
    `${heading('Getting started')}\n${columns(
      [
        ['guestcert init', 'Write a starter lab file'],
        ['guestcert plan lab.yaml', 'See what would run'],
        ['guestcert run --help', 'Show help for a command'],
      ],
      width,
      nameWidth,
    )}`,
  ].join('\n')
}

/** What `guestcert COMMAND --help` prints. */
export function commandHelp(command: CommandSpec, style: HelpStyle): string {
  const { heading, faint, width } = style
  const paragraphs = command.description.map(text => `${wrap(text, width).join('\n')}\n`)
  const groups = [...new Set(command.flags.map(({ group }) => group))].filter(group => group !== 'General')
  const general = [...command.flags.filter(({ group }) => group === 'General'), ...globalFlags]
  const examples = command.examples.map(({ line, does }) => {
    const lines = wrap(does, width - 6).map(text => `${faint(`      ${text}`)}\n`)
    return `  ${line}\n${lines.join('')}`
  })
  return [
    `${wrap(`${command.summary}.`, width).join('\n')}\n`,
    `${heading('Usage')}\n  ${usageOf(command)}\n`,
    ...paragraphs,
    ...(command.arguments.length === 0
      ? []
      : [`${heading('Arguments')}\n${columns(command.arguments.map(argumentEntry), width)}`]),
    ...groups.map(group =>
      flagSection(
        group,
        command.flags.filter(flag => flag.group === group),
        style,
        widest([...command.flags, ...globalFlags].map(flagEntry)),
      ),
    ),
    flagSection('General', general, style, widest([...command.flags, ...globalFlags].map(flagEntry))),
    ...(examples.length === 0 ? [] : [`${heading('Examples')}\n${examples.join('')}`]),
    exitSection(command.exits, style),
  ].join('\n')
}

/** What `guestcert lab --help` prints: the commands that begin so. */
export function groupHelp(
  word: string,
  group: readonly CommandSpec[],
  { heading, width }: HelpStyle,
): string {
  const entries = group.map((command): Entry => [nameOf(command), command.summary])
  return `${heading('Usage')}\n  guestcert ${word} COMMAND [FLAGS]\n\n${heading('Commands')}\n${columns(entries, width)}`
}

function flagSection(
  title: string,
  flags: readonly FlagSpec[],
  style: HelpStyle,
  nameWidth?: number,
): string {
  return `${style.heading(title)}\n${columns(flags.map(flagEntry), style.width, nameWidth)}`
}

/** A flag as help and the page show it. */
export function flagEntry(flag: FlagSpec): Entry {
  const { name, alias, value } = flag
  const shown = value === undefined ? `--${name}` : `--${name} ${value}`
  return [`${alias === undefined ? '   ' : `-${alias},`} ${shown}`, detailed(flag)]
}

/** An argument as help and the page show it. */
export function argumentEntry(argument: ArgumentSpec): Entry {
  return [argument.name, detailed(argument)]
}

function detailed(spec: FlagSpec | ArgumentSpec): string {
  const { description, choices, repeatable } = spec
  const preset = 'default' in spec ? spec.default : undefined
  const details = [
    ...(choices === undefined ? [] : [either(choices)]),
    ...(preset === undefined ? [] : [`default: ${preset}`]),
    ...(repeatable ? ['may be repeated'] : []),
  ]
  return details.length === 0 ? description : `${description} (${details.join('; ')})`
}

function exitSection(codes: readonly number[], { heading, width }: HelpStyle): string {
  const entries = exitMeanings
    .filter(({ code }) => codes.includes(code))
    .map(({ code, meaning }): Entry => [String(code).padStart(3), meaning])
  return `${heading('Exit codes')}\n${columns(entries, width)}`
}
