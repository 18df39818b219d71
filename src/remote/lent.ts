import { InfraError } from '../config/errors.js'
import { onAbort } from '../deadline/signals.js'
import type { CommandResult, Machine, RunOptions } from './machine.js'

/** A machine whose connection has an owner, who lends it to one user at a time. */
export interface SharedMachine extends Machine {
  /**
   * The same connection for somebody else, who gives it back by closing it; `null` when it is lent already, or lost.
   * `mark` is that of his processes.
   */
  lend(mark: string): Machine | null
  /**
   * Runs a command of the owner's, whatever the borrower does: it waits for no channel of his, and goes over another
   * connection where the server has no channel left.
   */
  runBeside(command: string, options: RunOptions): Promise<CommandResult>
}

/** Whether a machine's connection can be lent. */
export function isShared(machine: Machine): machine is SharedMachine {
  return 'lend' in machine
}

/** What a borrower is given. */
export interface LentParts {
  readonly owner: Machine
  readonly run: Machine['run']
  /** Called once, when it was given back. */
  readonly onReturn: () => void
}

/**
 * A connection that is lent. Closing it while a command runs ends the connection: nothing else would end the command.
 * Else its owner has it back as it was.
 */
export class LentMachine implements Machine {
  readonly label: string
  readonly hostKey: string
  readonly lost: AbortSignal
  readonly #parts: LentParts
  readonly #lost = new AbortController()
  readonly #ignoreOwner: () => void
  #running = 0

  constructor(parts: LentParts) {
    const { owner } = parts
    this.#parts = parts
    this.label = owner.label
    this.hostKey = owner.hostKey
    this.lost = this.#lost.signal
    this.#ignoreOwner = onAbort(owner.lost, () => this.#lost.abort(owner.lost.reason))
  }

  get channels(): number {
    return this.#parts.owner.channels
  }

  async run(command: string, options: RunOptions = {}): Promise<CommandResult> {
    this.lost.throwIfAborted()
    this.#running += 1
    try {
      return await this.#parts.run(command, options)
    } finally {
      this.#running -= 1
    }
  }

  forward(host: string, port: number): ReturnType<Machine['forward']> {
    return this.lost.aborted ? Promise.reject(this.lost.reason) : this.#parts.owner.forward(host, port)
  }

  async close(): Promise<void> {
    if (this.lost.aborted) {
      return
    }
    this.#ignoreOwner()
    const { owner, onReturn } = this.#parts
    const what = `${this.label}: the connection was closed here`
    this.#lost.abort(new InfraError(what, { cause: 'network', where: this.label, code: 'lost' }))
    onReturn()
    if (this.#running > 0) {
      await owner.close()
    }
  }
}
