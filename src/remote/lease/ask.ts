import { InfraError } from '../../config/errors.js'
import type { Exit } from '../../journal/events.js'
import { peerText } from '../trouble.js'
import { type LeaseAnswer, parseLease } from './answer.js'
import { type LeaseQuestion, leaseCommand } from './script.js'

/** A shell on a machine; a Machine is one. */
export interface HostShell {
  readonly label: string
  /** Asks for the lease where there is no POSIX shell; gives what the script would have printed. */
  lease?(question: LeaseQuestion, options: AskOptions): Promise<string>
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
  const { text, how, isLost } =
    shell.lease === undefined
      ? await askScript(shell, question, { signal, limitMs })
      : { text: await shell.lease(question, { signal, limitMs }), how: 'no answer', isLost: false }
  const answer = parseLease(text)
  if (answer !== null && answer.word !== 'broken') {
    return answer
  }
  throw new InfraError(`${shell.label}: its lease cannot be kept: ${answer?.why ?? how}`, {
    cause: 'host',
    where: shell.label,
    code: isLost ? 'lost' : 'lease',
  })
}

async function askScript(
  shell: HostShell,
  question: LeaseQuestion,
  options: AskOptions,
): Promise<{ readonly text: string; readonly how: string; readonly isLost: boolean }> {
  const { exit, stdout, stderr } = await shell.run(leaseCommand(question), {
    ...options,
    limitName: 'command',
  })
  const said = peerText(stderr.text)
  const how = exit.kind === 'code' ? `status ${exit.code}` : exit.kind
  return {
    text: stdout.text,
    how: `${how}${said === '' ? '' : `: ${said}`}`,
    isLost: exit.kind === 'lost',
  }
}
