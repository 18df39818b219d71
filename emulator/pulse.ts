/** What becomes of a guest's clocks while its host has paused it. */
export type PausedClocks = 'stopped' | 'running'

/** The longest wait that a timer takes, in ms. */
const longestMs = 2_147_483_647

interface Wait {
  readonly dueNs: bigint
  readonly act: () => void
  timer: NodeJS.Timeout | undefined
}

/**
 * What makes a guest go on: its processors, and the time that it counts. While it is halted nothing happens that was
 * planned here; its time stands still as well, or goes on.
 */
export class Pulse {
  readonly #clocks: PausedClocks
  readonly #waits = new Set<Wait>()
  /** What its time was when it was halted. */
  #haltedNs: bigint | undefined
  /** How far its time is behind ours. */
  #behindNs = 0n
  #going: Promise<void> | undefined
  #goOn = (): void => {}

  constructor(clocks: PausedClocks) {
    this.#clocks = clocks
  }

  get isHalted(): boolean {
    return this.#haltedNs !== undefined
  }

  /** Its own time, in ns: monotonic, from an arbitrary start. */
  nowNs(): bigint {
    if (this.#haltedNs !== undefined && this.#clocks === 'stopped') return this.#haltedNs
    return process.hrtime.bigint() - this.#behindNs
  }

  /** Resolves when it goes on: at once unless it is halted. */
  async going(): Promise<void> {
    // It may have been halted again meanwhile.
    while (this.#going) await this.#going
  }

  /** Does something after so much of its time; the result takes that back. */
  after(ms: number, act: () => void): () => void {
    const wait: Wait = { dueNs: this.nowNs() + BigInt(Math.round(ms * 1e6)), act, timer: undefined }
    this.#waits.add(wait)
    if (!this.isHalted) this.#arm(wait)
    return () => {
      clearTimeout(wait.timer)
      this.#waits.delete(wait)
    }
  }

  halt(): void {
    if (this.isHalted) return
    this.#haltedNs = this.nowNs()
    this.#going = new Promise(resolve => {
      this.#goOn = resolve
    })
    for (const { timer } of this.#waits) clearTimeout(timer)
  }

  goOn(): void {
    if (this.#haltedNs === undefined) return
    if (this.#clocks === 'stopped') this.#behindNs = process.hrtime.bigint() - this.#haltedNs
    this.#haltedNs = undefined
    this.#going = undefined
    for (const wait of this.#waits) this.#arm(wait)
    this.#goOn()
  }

  #arm(wait: Wait): void {
    const leftMs = Math.ceil(Number(wait.dueNs - this.nowNs()) / 1e6)
    wait.timer = setTimeout(
      () => {
        this.#waits.delete(wait)
        wait.act()
      },
      Math.min(Math.max(0, leftMs), longestMs),
    )
  }
}
