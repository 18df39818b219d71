/** What runs on a host at once. */
export interface Load {
  readonly guests: number
  readonly vcpus: number
  readonly memoryBytes: number
}

/** The host's own count of what runs on it, whatever those who use it believe. */
export class LoadCount {
  #now: Load = { guests: 0, vcpus: 0, memoryBytes: 0 }
  #most: Load = this.#now

  get now(): Load {
    return this.#now
  }

  /** The most of each that there was at once. */
  get most(): Load {
    return this.#most
  }

  add({ vcpus, memoryBytes }: Omit<Load, 'guests'>): void {
    const { now } = this
    this.#now = {
      guests: now.guests + 1,
      vcpus: now.vcpus + vcpus,
      memoryBytes: now.memoryBytes + memoryBytes,
    }
    const greater = (key: keyof Load): number => Math.max(this.#most[key], this.#now[key])
    this.#most = { guests: greater('guests'), vcpus: greater('vcpus'), memoryBytes: greater('memoryBytes') }
  }

  remove({ vcpus, memoryBytes }: Omit<Load, 'guests'>): void {
    const { now } = this
    this.#now = {
      guests: now.guests - 1,
      vcpus: now.vcpus - vcpus,
      memoryBytes: now.memoryBytes - memoryBytes,
    }
  }
}
