import { InfraError } from '../../config/errors.js'
import type { Exit } from '../../journal/events.js'
import type { CommandResult } from '../machine.js'
import { peerText } from '../trouble.js'
import { describe } from './ending.js'
import { lostError, type PosixHost } from './host.js'
import type { Sighting } from './running.js'
import type { Stop } from './watch.js'

/** A command that was not carried out: what the machine answered is not its output, nor its status. */
export class NotCarriedOut extends InfraError {
  /** How what came in its place ended, on the SSH server's word. */
  readonly exit: Exit
  /** What came in place of its first line, fit for a message; may be empty. */
  readonly printed: string

  constructor(where: string, exit: Exit, printed: string) {
    const end = exit.kind === 'code' || exit.kind === 'signal' ? describe(exit) : 'no exit status received'
    const message = `${where}: the command was not carried out (${end}); the guest printed: ${printed || 'nothing'}`
    super(message, { cause: 'unknown', where, code: 'command' })
    this.exit = exit
    this.printed = printed
  }
}

/** Why a command has no result: the connection was lost, sudo held it up, or something else ran in its place. */
export function notBegun(
  host: Pick<PosixHost, 'lost' | 'where' | 'scrub'>,
  { at, exit, printed }: Extract<Sighting, { readonly begun: false }>,
): InfraError {
  const { lost, where, scrub } = host
  if (lost.aborted) {
    return lostError(host)
  }
  const said = scrub(peerText(printed))
  return at === 'login'
    ? new NotCarriedOut(where, exit, said)
    : new InfraError(`${where}: sudo did not start the command: ${said || 'it said nothing'}`, {
        cause: 'unknown',
        where,
        code: 'authentication',
      })
}

/** The result of a command that reached its limit; of one that never began, nothing was seen. */
export function limitResult(sighting: Sighting | null, stop: Stop, startedAt: number): CommandResult {
  const seen = sighting?.begun === true ? sighting.result : nothing(startedAt)
  return { ...seen, exit: { kind: 'limit', ...stop } }
}

function nothing(startedAt: number): Omit<CommandResult, 'exit'> {
  const empty = { text: '', bytes: Buffer.alloc(0), totalBytes: 0, truncated: false }
  return { stdout: empty, stderr: empty, durationMs: performance.now() - startedAt, undrained: false }
}
