import type { Emit, RunSettings } from './settings.js'

/** What may be said only after so long, unless something shows at once that there will be a wait. */
const quietMs = 2_000

/** Something that may take its time. */
export interface Wait {
  readonly environment: string
  /** What is waited for, for people: `a free place on kvm-1`. */
  readonly what: string
  /** The limit that ends it. */
  readonly limit: string
  readonly limitMs: number
  /** True for what usually takes a while: nothing is said before the first interval is over. */
  readonly isQuiet?: boolean
}

/** Says of one wait after the other for what it is, since when and until when. */
export class Waits {
  readonly #emit: Emit
  readonly #everyMs: number
  #wait: (Wait & { readonly sinceMs: number }) | null = null
  #seen = ''
  #isSaid = false
  #timer: NodeJS.Timeout | undefined

  /** `everyMs`: between two words on the same wait. */
  constructor(emit: Emit, everyMs: number) {
    this.#emit = emit
    this.#everyMs = everyMs
  }

  /** Another wait begins, and the one before it has ended. */
  begin(wait: Wait): void {
    this.end()
    this.#wait = { ...wait, sinceMs: Date.now() }
    this.#sayIn(wait.isQuiet === true ? this.#everyMs : Math.min(quietMs, this.#everyMs))
  }

  /** What a look showed: that it takes longer is said at once, and from then on at intervals. */
  saw(what: string): void {
    this.#seen = what
    if (!this.#isSaid && this.#wait !== null) {
      this.#say()
    }
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#wait = null
    this.#seen = ''
    this.#isSaid = false
  }

  #say(): void {
    if (this.#wait === null) {
      return
    }
    const { environment, what, limit, limitMs, sinceMs } = this.#wait
    this.#isSaid = true
    this.#emit({
      type: 'waiting',
      environment,
      what: this.#seen === '' ? what : `${what}: ${this.#seen}`,
      since: new Date(sinceMs).toISOString(),
      until: new Date(sinceMs + limitMs).toISOString(),
      limit,
    })
    this.#sayIn(this.#everyMs)
  }

  #sayIn(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#say(), ms)
    this.#timer.unref()
  }
}

/** Does what takes a while, and says at intervals that it still does. */
export async function sayingFor<T>(
  wait: Wait,
  { emit, plan }: Pick<RunSettings, 'emit' | 'plan'>,
  work: () => Promise<T>,
): Promise<T> {
  const waits = new Waits(emit, plan.limits.notice)
  waits.begin(wait)
  try {
    return await work()
  } finally {
    waits.end()
  }
}
