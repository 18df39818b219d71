import picocolors from 'picocolors'
import { packageVersion } from '../config/package-root.js'
import { wantsColor } from '../reports/terminal/style.js'
import { Redactor } from '../text/redactor.js'
import { type CommandIo, type CommandModule, isSet, type OutputStream, type Redaction } from './args.js'
import { commands } from './commands.js'
import { outcomeOf } from './exit.js'
import { findCommand } from './find-command.js'
import { guarded } from './guarded-output.js'
import { commandHelp, groupHelp, type HelpStyle, helpWidth, programHelp } from './help.js'
import { parse, type Request } from './parse.js'
import { closeScreens, Screen } from './screen.js'

/** Carries out a command line and returns the exit code. Never throws: an error is printed and becomes a code. */
export async function dispatch(argv: readonly string[], streams: CommandIo): Promise<number> {
  const io = guardedIo(argv, streams)
  let verbose = argv.includes('--verbose') || argv.includes('-v') || (io.env.GUESTCERT_DEBUG ?? '') !== ''
  try {
    const request = parse(argv, commands)
    if (request.kind === 'command') verbose ||= isSet(request.args, 'verbose')
    return await carryOut(request, argv, io)
  } catch (error) {
    const { code, lines } = outcomeOf(error, verbose)
    for (const line of lines) io.stderr.write(`${line}\n`)
    return code
  } finally {
    closeScreens()
  }
}

/** Both streams show no secret of the lab that is read, and nothing that a terminal would obey. */
function guardedIo(argv: readonly string[], io: CommandIo): CommandIo {
  const redaction: Redaction = { redactor: new Redactor([]) }
  const hasScreen = io.stdout.isTTY === true && io.stdout.rows !== undefined
  const screen = hasScreen ? new Screen(io.stdout) : null
  const guard = (stream: OutputStream): OutputStream =>
    guarded(stream, {
      redactor: () => redaction.redactor,
      styles: wantsStyles(stream, io, argv),
      screen: stream.isTTY === true ? screen : null,
      hasWindow: stream === io.stdout,
    })
  return { ...io, redaction, stdout: guard(io.stdout), stderr: guard(io.stderr) }
}

async function carryOut(request: Request, argv: readonly string[], io: CommandIo): Promise<number> {
  switch (request.kind) {
    case 'version':
      io.stdout.write(`guestcert ${packageVersion()}\n`)
      return 0
    case 'nothing':
      // Nothing was asked for and nothing ran: a script that lost its arguments must not look fine.
      io.stderr.write(programHelp(styleFor(io.stderr, io, argv)))
      return 2
    case 'help':
      io.stdout.write(helpFor(request, argv, styleFor(io.stdout, io, argv)))
      return 0
    case 'command': {
      const module = await load(request.command.module)
      return module.run(request.args, io)
    }
  }
}

function helpFor(request: Request & { kind: 'help' }, argv: readonly string[], style: HelpStyle): string {
  if (request.command !== null) return commandHelp(request.command, style)
  const words = argv.filter(arg => !arg.startsWith('-'))
  return words.length === 0
    ? programHelp(style)
    : groupHelp(words[0] ?? '', findCommand(words, commands).group, style)
}

function wantsStyles(stream: OutputStream, { env }: CommandIo, argv: readonly string[]): boolean {
  const flag = argv.includes('--no-color') ? false : argv.includes('--color') ? true : undefined
  return wantsColor({ isTTY: stream.isTTY === true, env, ...(flag === undefined ? {} : { flag }) })
}

/** How help is drawn on a stream. */
export function styleFor(stream: OutputStream, io: CommandIo, argv: readonly string[]): HelpStyle {
  const paint = picocolors.createColors(wantsStyles(stream, io, argv))
  return { width: helpWidth(stream.columns), heading: paint.bold, faint: paint.dim }
}

/** A command's own file is loaded only when it is that command's turn. */
async function load(name: string): Promise<CommandModule> {
  return (await import(`./${name}.js`)) as CommandModule
}
