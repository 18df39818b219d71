import { peerText } from '../trouble.js'

/** Who holds a lease, as the machine's file says it. Text of others: for people, never for decisions. */
export interface LeaseOwner {
  readonly who: string
  /** The machine that the owner's runner works from. */
  readonly from: string
  readonly run: string
  /** UTC, by the owner's clock. */
  readonly since: string
  /** UTC, by the machine's clock; renewed while the owner lives. */
  readonly until: string
}

/** What a machine says of its lease. */
export interface LeaseAnswer {
  /**
   * `taken`, `kept`: it is ours. `held`: somebody has it. `stale`: somebody had it, and has not renewed it.
   * `lost`: it was ours. `free`: nobody has it. `broken`: it cannot be kept there, see `why`.
   */
  readonly word: 'taken' | 'kept' | 'held' | 'stale' | 'lost' | 'free' | 'broken'
  /** The fencing token of the lease that stands there; it only rises. 0 when there never was one. */
  readonly generation: number
  /** `GENERATION.RENEWAL`: changes with every renewal. */
  readonly mark: string
  /** `null` when the lease is free. */
  readonly owner: LeaseOwner | null
  /** How often the owner renews it, in ms, as it has recorded. 0 when it is not known. */
  readonly everyMs: number
  /** How long it lasts without being renewed, in ms, as its owner has recorded. 0 when it is not known. */
  readonly ttlMs: number
  /** The machine's own clock when it answered, in ms; of whole seconds, and possibly set by somebody. */
  readonly machineMs: number
  /** Why it is broken; else empty. */
  readonly why: string
}

const head = /^gc-lease (taken|kept|held|stale|lost|free|broken) (\d+) (\d+)$/

/** Reads what the script printed; `null` when its end is missing: then nothing is known. */
export function parseLease(stdout: string): LeaseAnswer | null {
  const lines = stdout.split('\n')
  const first = lines.findIndex(line => head.test(line))
  const last = lines.lastIndexOf('gc-end')
  const [, word, generation, machineSec] = head.exec(lines[first] ?? '') ?? []
  if (word === undefined || last < first) {
    return null
  }
  const fields = new Map<string, string>()
  for (const line of lines.slice(first + 1, last)) {
    const blank = line.indexOf(' ')
    if (blank > 0 && !fields.has(line.slice(0, blank))) {
      fields.set(line.slice(0, blank), peerText(line.slice(blank + 1)))
    }
  }
  const isOwned = fields.get('state') === 'held'
  return {
    word: word as LeaseAnswer['word'],
    generation: Number(generation),
    mark: `${generation}.${fields.get('renewal') ?? '0'}`,
    owner: isOwned ? ownerOf(fields) : null,
    everyMs: Number(fields.get('every') ?? 0) * 1000 || 0,
    ttlMs: Number(fields.get('ttl') ?? 0) * 1000 || 0,
    machineMs: Number(machineSec) * 1000,
    why: fields.get('why') ?? '',
  }
}

function ownerOf(fields: ReadonlyMap<string, string>): LeaseOwner {
  const untilSec = Number(fields.get('until'))
  const until = new Date(untilSec * 1000)
  return {
    who: fields.get('who') ?? 'somebody',
    from: fields.get('from') ?? 'somewhere',
    run: fields.get('run') ?? 'unknown',
    since: fields.get('since') ?? 'unknown',
    until: Number.isNaN(until.getTime()) ? 'unknown' : until.toISOString(),
  }
}

/** An owner for a message: `alice on desk-3, run 20261125-… since …, until … unless renewed`. */
export function describeOwner(owner: LeaseOwner | null): string {
  if (owner === null) {
    return 'nobody that is named'
  }
  const { who, from, run, since, until } = owner
  return `${who} on ${from}, run ${run}, since ${since}, until ${until} unless renewed`
}
