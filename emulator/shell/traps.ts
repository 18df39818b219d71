import type { Bytes } from '../files/bytes.js'
import type { Disposition } from '../system/process.js'
import type { SignalName } from '../system/signals.js'

/** What a shell does on signals, and at its end. */
export class Traps {
  /** Commands to run; an empty one means that the signal is ignored. */
  readonly #commands = new Map<SignalName | 'EXIT', Bytes>()
  readonly #pending: SignalName[] = []
  readonly #wakers = new Set<() => void>()
  #running = false

  get(condition: SignalName | 'EXIT'): Bytes | undefined {
    return this.#commands.get(condition)
  }

  has(condition: SignalName | 'EXIT'): boolean {
    return this.#commands.has(condition)
  }

  set(condition: SignalName | 'EXIT', command: Bytes): void {
    this.#commands.set(condition, command)
  }

  delete(condition: SignalName | 'EXIT'): void {
    this.#commands.delete(condition)
  }

  list(): (readonly [SignalName | 'EXIT', Bytes])[] {
    return [...this.#commands]
  }

  /** Hands the signals that are ignored on to a subshell, as POSIX wants; traps are reset. */
  inherit(child: Traps): void {
    for (const [condition, command] of this.#commands) if (command === '') child.set(condition, command)
  }

  /** Notes a signal that has a trap, and says what becomes of it. */
  meet(signal: SignalName): Disposition {
    const command = this.#commands.get(signal)
    if (command === undefined) return 'default'
    if (command === '') return 'ignored'
    this.#pending.push(signal)
    for (const wake of this.#wakers) wake()
    return 'caught'
  }

  /** Runs the traps of the signals that came, one after another; not while one is running. */
  async runPending(run: (command: Bytes) => Promise<void>): Promise<void> {
    while (this.#pending.length > 0 && !this.#running) {
      const signal = this.#pending.shift()
      const command = signal && this.#commands.get(signal)
      if (!command) continue
      this.#running = true
      try {
        await run(command)
      } finally {
        this.#running = false
      }
    }
  }

  /** Waits for something, or until a signal with a trap comes. */
  async orCaught<T>(work: Promise<T>): Promise<T | { readonly trapped: SignalName }> {
    let wake = (): void => {}
    const caught = new Promise<{ trapped: SignalName }>(resolve => {
      wake = () => resolve({ trapped: this.#pending[0] ?? 'TERM' })
      this.#wakers.add(wake)
    })
    try {
      return await Promise.race([work, caught])
    } finally {
      this.#wakers.delete(wake)
    }
  }
}
