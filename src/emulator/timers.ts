/** Things that a guest does after a while, one of each kind at a time. */
export class Timers<Name extends string> {
  readonly #running = new Map<Name, NodeJS.Timeout>()

  /** Takes the place of what was planned under that name. */
  after(name: Name, ms: number, act: () => void): void {
    this.cancel(name)
    this.#running.set(
      name,
      setTimeout(() => {
        this.#running.delete(name)
        act()
      }, ms),
    )
  }

  has(name: Name): boolean {
    return this.#running.has(name)
  }

  /** False where nothing was planned. */
  cancel(name: Name): boolean {
    const timer = this.#running.get(name)
    clearTimeout(timer)
    this.#running.delete(name)
    return timer !== undefined
  }

  cancelAll(): void {
    for (const name of [...this.#running.keys()]) this.cancel(name)
  }
}
