import { InfraError } from '../../config/errors.js'
import type { Exit } from '../../journal/events.js'
import { peerText } from '../trouble.js'
import { type LeaseAnswer, parseLease } from './answer.js'
import { type LeaseQuestion, leaseCommand } from './script.js'

/** A shell on a machine; a Machine is one. */
export interface HostShell {
  readonly label: string
  run(
    command: string,
    options: { readonly signal: AbortSignal; readonly limitMs: number; readonly limitName: string },
  ): Promise<{
    readonly exit: Exit
    readonly stdout: { readonly text: string }
    readonly stderr: { readonly text: string }
  }>
}

/** How long one question may take. */
export interface AskOptions {
  readonly signal: AbortSignal
  readonly limitMs: number
}

/** Asks a machine for its lease. Throws InfraError when it gives no answer, or cannot keep a lease. */
export async function askLease(
  shell: HostShell,
  question: LeaseQuestion,
  { signal, limitMs }: AskOptions,
): Promise<LeaseAnswer> {
  const { exit, stdout, stderr } = await shell.run(leaseCommand(question), {
    signal,
    limitMs,
    limitName: 'command',
  })
  const answer = parseLease(stdout.text)
  if (answer !== null && answer.word !== 'broken') {
    return answer
  }
  const said = peerText(stderr.text)
  const how = exit.kind === 'code' ? `status ${exit.code}` : exit.kind
  const why = answer?.why ?? `${how}${said === '' ? '' : `: ${said}`}`
  throw new InfraError(`${shell.label}: its lease cannot be kept: ${why}`, {
    cause: 'host',
    where: shell.label,
    code: exit.kind === 'lost' ? 'lost' : 'lease',
  })
}
