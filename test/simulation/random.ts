/** Draws values from a seed. Each name has its own value, so that what is drawn depends on no order of events. */
export class Random {
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  /** In [0, 1). */
  of(name: string): number {
    let hash = 2166136261 ^ this.#seed
    for (let at = 0; at < name.length; at += 1) {
      hash = Math.imul(hash ^ name.charCodeAt(at), 16777619)
    }
    hash = Math.imul(hash ^ (hash >>> 16), 2246822507)
    hash = Math.imul(hash ^ (hash >>> 13), 3266489909)
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
  }

  /** From `least` to `most`, both included. */
  integer(name: string, least: number, most: number): number {
    return least + Math.floor(this.of(name) * (most - least + 1))
  }

  happens(name: string, probability: number): boolean {
    return this.of(name) < probability
  }

  pick<T>(name: string, choices: readonly [T, ...T[]]): T {
    return choices[this.integer(name, 0, choices.length - 1)] ?? choices[0]
  }

  /** A duration in ms between the bounds, most of them near the lower one. */
  ms(name: string, least: number, most: number): number {
    return Math.round(least + (most - least) * this.of(name) ** 3)
  }
}
