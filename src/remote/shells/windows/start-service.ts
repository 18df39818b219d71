import type { CommandResult, RunOptions } from '../../machine.js'
import { peerText } from '../../trouble.js'
import { commandText } from './catalog.js'
import type { WindowsHost } from './host.js'
import {
  Answers,
  type HostRequest,
  PowerShellService,
  type RequestOptions,
  requestLine,
  type ServiceAnswer,
  type ServiceKind,
  type ServiceRequest,
  within,
} from './service.js'

/** Something that answers requests by PowerShell. */
export interface ServiceClient {
  readonly isGone: boolean
  /** Whether it holds a channel without need at the moment. */
  readonly isIdle: boolean
  ask(request: ServiceRequest | HostRequest, options: RequestOptions): Promise<ServiceAnswer>
  end(): void
}

/** What a service needs of its machine. */
export interface ServiceMeans {
  run(command: string, options: RunOptions): Promise<CommandResult>
  /** Runs what keeps its channel for as long as the service lasts. */
  serve(command: string, options: RunOptions): Promise<CommandResult>
  /** Carries a file to the temporary folder; its path. */
  carry(content: Buffer, ending: string): Promise<string>
}

/** Starts the PowerShell of a connection: one for all requests, where it can have standard input for itself. */
export async function startService(
  { connection, login }: WindowsHost,
  means: ServiceMeans,
  kind: ServiceKind,
): Promise<ServiceClient> {
  const { where, limits } = connection
  return login === 'powershell'
    ? new BatchService(where, means, kind)
    : PowerShellService.start(where, means.serve, limits.firstCommand, kind)
}

interface Queued {
  readonly id: number
  readonly line: string
  readonly limitMs: number
}

/** Requests that are made together travel together, in a file, to one start of PowerShell. */
class BatchService implements ServiceClient {
  readonly isGone = false
  readonly isIdle = false
  readonly #where: string
  readonly #means: ServiceMeans
  readonly #kind: ServiceKind
  #ids = 0
  #queue: Queued[] = []
  #answers: Answers

  constructor(where: string, means: ServiceMeans, kind: ServiceKind) {
    this.#where = where
    this.#means = means
    this.#kind = kind
    this.#answers = new Answers(where, kind.owner)
  }

  async ask(request: ServiceRequest | HostRequest, options: RequestOptions): Promise<ServiceAnswer> {
    const { limitMs, signal } = options
    signal?.throwIfAborted()
    this.#ids += 1
    const id = this.#ids
    const answers = this.#answers
    const answer = answers.await(id)
    answer.catch(() => {})
    if (this.#queue.length === 0) {
      setImmediate(() => void this.#send())
    }
    this.#queue.push({ id, line: requestLine(id, request), limitMs })
    const where = this.#where
    const { owner } = this.#kind
    return within(answer, { what: request.join(' '), ...options, where, owner }).finally(() => {
      answers.forget(id)
    })
  }

  end(): void {}

  async #send(): Promise<void> {
    const [queue, answers] = [this.#queue, this.#answers]
    this.#queue = []
    this.#answers = new Answers(this.#where, this.#kind.owner)
    try {
      const file = await this.#means.carry(Buffer.from(queue.map(({ line }) => line).join('')), 'txt')
      const line = commandText('powershell-batch', {
        'POWERSHELL-SERVICE': this.#kind.command,
        FILE: `"${file}"`,
      })
      const { exit, stderr } = await this.#means.run(`${line}&del "${file}"`, {
        limitMs: Math.max(...queue.map(({ limitMs }) => limitMs)),
        keepBytes: 4096,
        onStdout: chunk => answers.push(chunk),
      })
      const how = exit.kind === 'code' ? `status ${exit.code}` : exit.kind
      answers.failAll(`PowerShell ended without an answer (${how}): ${peerText(stderr.text)}`)
    } catch (error) {
      answers.failAll(error instanceof Error ? error.message : String(error))
    }
  }
}
