/** Variables of a process: they keep the case they were made in and are found in any. */
export class Environment {
  readonly #entries = new Map<string, readonly [name: string, value: string]>()

  constructor(entries: Iterable<readonly [string, string]> = []) {
    for (const [name, value] of entries) this.set(name, value)
  }

  get(name: string): string | undefined {
    return this.#entries.get(name.toLowerCase())?.[1]
  }

  /** Sets a variable; an empty value takes it away, as SetEnvironmentVariable does for cmd. */
  set(name: string, value: string): void {
    const key = name.toLowerCase()
    if (value === '') this.#entries.delete(key)
    else this.#entries.set(key, [this.#entries.get(key)?.[0] ?? name, value])
  }

  /** By name, as `set` lists them. */
  list(): (readonly [name: string, value: string])[] {
    return [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
  }

  copy(): Environment {
    return new Environment(this.#entries.values())
  }
}
