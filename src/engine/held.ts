import { holdingActions } from '../hypervisors/driver.js'
import { type Machine, onAbort, type Stillness } from '../remote/index.js'

const holds: ReadonlySet<string> = new Set(holdingActions)
/** After these a guest that was paused is paused no more. */
const endsOfPause: ReadonlySet<string> = new Set(['resume', 'reset', 'revert', 'powerOff', 'powerOn'])

/**
 * Keeps a guest's connections while its host does what stops the guest: for as long as the action lasts, and from a
 * pause to what ends it.
 */
export class HeldStill {
  readonly #stillness: Stillness
  readonly #outlived = new WeakSet<Machine>()
  #endPause: () => void = () => {}
  /** An action that was given up in its middle: the host may go on with it. */
  #givenUp: string | null = null

  constructor(stillness: Stillness) {
    this.#stillness = stillness
  }

  /** Whether the guest was held while it was connected so: its end of that connection may be gone. */
  wasHeldOn(machine: Machine): boolean {
    return this.#outlived.has(machine)
  }

  /** The action that may still hold the guest, as it was given up before the host had ended it; else `null`. */
  get mayBeHeldBy(): string | null {
    return this.#givenUp
  }

  /** Carries out an action of the host, named as the driver names it. A hold ends with the signal too. */
  async during<T>(action: string, machine: Machine, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (!holds.has(action) && !endsOfPause.has(action)) {
      return await work()
    }
    this.#outlived.add(machine)
    const release = this.#stillness.hold()
    const ignore = onAbort(signal, () => {
      this.#givenUp = action
      release()
    })
    try {
      const done = await work()
      this.#givenUp = null
      if (action === 'pause') {
        this.#endPause()
        this.#endPause = this.#stillness.hold()
      }
      return done
    } finally {
      if (endsOfPause.has(action)) {
        this.end()
      }
      ignore()
      release()
    }
  }

  /** Whatever became of a pause: from now on the guest must answer. */
  end(): void {
    this.#endPause()
  }
}
