import { z } from 'zod'
import type { Exchange } from '../../hypervisors/shared/exchanges.js'
import type { Scrub } from '../../text/scrub.js'

/** The version of the file. */
const format = 1

const state = z.enum(['held', 'broken', 'not-tried'])

/** What a contract test leaves: what held on which product, and what was sent and answered. */
export const transcriptSchema = z.strictObject({
  format: z.literal(format),
  driver: z.string(),
  product: z.string(),
  version: z.string(),
  /** False where an emulator answered. */
  real: z.boolean(),
  guestcert: z.string(),
  day: z.iso.date(),
  facts: z.record(z.string(), z.string()),
  results: z.array(z.strictObject({ part: z.string(), state, seen: z.string() })),
  exchanges: z.array(
    z.strictObject({
      part: z.string(),
      command: z.string(),
      input: z.string().optional(),
      status: z.string(),
      answer: z.string(),
      times: z.int().positive(),
    }),
  ),
})

export type Transcript = z.infer<typeof transcriptSchema>
export type PartState = z.infer<typeof state>

/** A picture of a screen, or a file: nobody can see what it shows. */
const packed = /[A-Za-z0-9+/]{300,}={0,2}/g
/** Enough for a domain's XML. */
const longestTextBytes = 16 * 1024
const mostExchanges = 2_000

/** Writes down what is sent to a host and answered, without what tells the host from another of its kind. */
export class Exchanges {
  readonly #scrub: Scrub
  readonly #heard: { part: string; exchange: Exchange; times: number }[] = []
  #dropped = 0

  constructor(scrub: Scrub) {
    this.#scrub = scrub
  }

  /** How many were left out, because there were too many. */
  get dropped(): number {
    return this.#dropped
  }

  /** The same, one after the other, are one: a look that is repeated. */
  add(part: string, { command, input, status, answer }: Exchange): void {
    const exchange: Exchange = {
      command: this.#clean(command),
      ...(input === undefined ? {} : { input: this.#clean(input) }),
      status,
      answer: this.#clean(answer),
    }
    const last = this.#heard.at(-1)
    if (last !== undefined && last.part === part && isSame(last.exchange, exchange)) {
      last.times += 1
    } else if (this.#heard.length < mostExchanges) {
      this.#heard.push({ part, exchange, times: 1 })
    } else {
      this.#dropped += 1
    }
  }

  list(): Transcript['exchanges'] {
    return this.#heard.map(({ part, exchange, times }) => ({ part, ...exchange, times }))
  }

  #clean(text: string): string {
    const clean = this.#scrub(text.replace(packed, found => `[${found.length} characters of Base64]`))
    return clean.length > longestTextBytes
      ? `${clean.slice(0, longestTextBytes)}… (${clean.length} characters)`
      : clean
  }
}

function isSame(one: Exchange, other: Exchange): boolean {
  return (
    one.command === other.command &&
    one.input === other.input &&
    one.status === other.status &&
    one.answer === other.answer
  )
}

/** A name for the file that others do not have: its driver, product and version. */
export function transcriptName({
  driver,
  product,
  version,
}: Pick<Transcript, 'driver' | 'product' | 'version'>): string {
  const words = [driver, product, version].join('-').toLowerCase()
  return `${words.replace(/[^a-z0-9.]+/g, '-').replace(/^-|-$/g, '')}.json`
}
