/** How the guest's clock differs from the runner's. */
export interface ClockFacts {
  /** How far it is ahead, in ms. */
  readonly offsetMs?: number | undefined
  /** How much faster it runs, in parts per million. */
  readonly driftPpm?: number | undefined
  /** One-off steps of the wall clock. */
  readonly jumps?: readonly { readonly afterMs: number; readonly byMs: number }[] | undefined
  /** Runs fast and falls back by `amplitudeMs` every `periodMs`: right on average, never monotonic. */
  readonly sawtooth?: { readonly periodMs: number; readonly amplitudeMs: number } | undefined
  /** True where the monotonic clock and the uptime show the sawtooth too. */
  readonly monotonicToo?: boolean | undefined
}

const nsPerMs = 1_000_000n

/** The emulated guest's clocks, kept by the time that goes on for it and bent as the persona says. */
export class Clock {
  readonly #facts: ClockFacts
  readonly #nowNs: () => bigint
  readonly #bootNs: bigint
  readonly #wallAtBootNs: bigint
  #setByNs = 0n

  /** `nowNs` is what both clocks go by: they stand still while it does. With `earlier`, they go on from there. */
  constructor(
    facts: ClockFacts,
    nowNs: () => bigint,
    earlier?: { readonly uptimeNs: bigint; readonly wallNs: bigint },
  ) {
    this.#facts = facts
    this.#nowNs = nowNs
    this.#bootNs = nowNs() - (earlier?.uptimeNs ?? 0n)
    this.#wallAtBootNs = BigInt(Date.now()) * nsPerMs
    if (earlier) this.#setByNs = earlier.wallNs - this.wallNs()
  }

  /** The wall clock, ns since 1970. */
  wallNs(): bigint {
    const elapsed = this.#elapsedNs()
    let ns = this.#wallAtBootNs + elapsed + this.#setByNs
    ns += BigInt(Math.round((this.#facts.offsetMs ?? 0) * 1e6))
    ns += (elapsed * BigInt(Math.round((this.#facts.driftPpm ?? 0) * 1000))) / 1_000_000_000n
    for (const { afterMs, byMs } of this.#facts.jumps ?? []) {
      if (elapsed >= BigInt(afterMs) * nsPerMs) ns += BigInt(byMs) * nsPerMs
    }
    return ns + this.#saw(elapsed)
  }

  wallMs(): number {
    return Number(this.wallNs() / nsPerMs)
  }

  /** The monotonic clock since boot, in ns. */
  uptimeNs(): bigint {
    const elapsed = this.#elapsedNs()
    return this.#facts.monotonicToo ? elapsed + this.#saw(elapsed) : elapsed
  }

  /** Sets the wall clock, as `date -s` does. */
  set(wallNs: bigint): void {
    this.#setByNs += wallNs - this.wallNs()
  }

  #elapsedNs(): bigint {
    return this.#nowNs() - this.#bootNs
  }

  #saw(elapsedNs: bigint): bigint {
    const saw = this.#facts.sawtooth
    if (!saw) return 0n
    const period = BigInt(Math.round(saw.periodMs * 1e6))
    return ((elapsedNs % period) * BigInt(Math.round(saw.amplitudeMs * 1e6))) / period
  }
}
