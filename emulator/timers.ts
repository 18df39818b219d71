import type { Pulse } from './pulse.js'

/** Things that a guest does after a while, one of each kind at a time. None happens while it is halted. */
export class Timers<Name extends string> {
  readonly #pulse: Pulse
  readonly #planned = new Map<Name, () => void>()

  constructor(pulse: Pulse) {
    this.#pulse = pulse
  }

  /** Takes the place of what was planned under that name. */
  after(name: Name, ms: number, act: () => void): void {
    this.cancel(name)
    this.#planned.set(
      name,
      this.#pulse.after(ms, () => {
        this.#planned.delete(name)
        act()
      }),
    )
  }

  has(name: Name): boolean {
    return this.#planned.has(name)
  }

  /** False where nothing was planned. */
  cancel(name: Name): boolean {
    const takeBack = this.#planned.get(name)
    takeBack?.()
    return this.#planned.delete(name)
  }

  cancelAll(): void {
    for (const name of [...this.#planned.keys()]) this.cancel(name)
  }
}
