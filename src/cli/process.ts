import { safeForTerminal } from '../text/terminal.js'
import type { CommandIo } from './args.js'
import { dispatch } from './dispatch.js'
import { outcomeOf } from './exit.js'
import { closeScreens } from './screen.js'

/** Runs a command line as this process, and ends it with its exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const io: CommandIo = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
  }
  process.on('exit', closeScreens)
  const bug = (error: unknown): void => {
    closeScreens()
    const { lines } = outcomeOf(error, argv.includes('--verbose') || (io.env.GUESTCERT_DEBUG ?? '') !== '')
    process.stderr.write(safeForTerminal(lines.map(line => `${line}\n`).join(''), false))
    process.exit(4)
  }
  process.on('uncaughtException', bug)
  process.on('unhandledRejection', bug)
  const code = await dispatch(argv, io)
  await Promise.all([process.stdout, process.stderr].map(flushed))
  // Whatever a command has left open keeps nobody waiting.
  process.exit(code)
}

/** Resolves once everything written so far has left, or never will. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise(resolve => {
    stream.write('', () => resolve())
  })
}
