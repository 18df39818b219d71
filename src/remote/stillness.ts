/** Whether a machine's host holds it still just now, as for a snapshot with memory: it is silent then, and not lost. */
export class Stillness {
  #holds = 0
  #heldSince = 0
  /** What it was held in all, in ms, without the hold that lasts. */
  #heldMs = 0
  readonly #waiting = new Set<() => void>()
  readonly #now: () => number

  /** `now` in ms, monotonic. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  get isHeld(): boolean {
    return this.#holds > 0
  }

  /** Holds it still until the function that is returned is called. Holds may overlap. */
  hold(): () => void {
    let isOver = false
    if (this.#holds === 0) {
      this.#heldSince = this.#now()
    }
    this.#holds += 1
    return () => {
      if (!isOver) {
        isOver = true
        this.#letGo()
      }
    }
  }

  /** Acts after so many ms in which the machine was not held; the function that is returned takes that back. */
  after(ms: number, act: () => void): () => void {
    const from = this.#ownMs()
    let timer: NodeJS.Timeout | undefined
    const wait = (): void => {
      const leftMs = ms - (this.#ownMs() - from)
      if (this.isHeld) {
        this.#waiting.add(wait)
      } else if (leftMs > 0) {
        timer = setTimeout(wait, leftMs)
      } else {
        act()
      }
    }
    timer = setTimeout(wait, ms)
    return () => {
      clearTimeout(timer)
      this.#waiting.delete(wait)
    }
  }

  #letGo(): void {
    this.#holds -= 1
    if (this.#holds > 0) {
      return
    }
    this.#heldMs += this.#now() - this.#heldSince
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wait of waiting) {
      wait()
    }
  }

  /** The time that has passed for the machine itself: it stands still while the machine does. */
  #ownMs(): number {
    const now = this.#now()
    return now - this.#heldMs - (this.isHeld ? now - this.#heldSince : 0)
  }
}
