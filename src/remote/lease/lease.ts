import { InfraError } from '../../config/errors.js'
import type { Limits } from '../../config/limits.js'
import { formatDuration } from '../../config/units.js'
import { withDeadline } from '../../deadline/deadline.js'
import { untilAborted } from '../../deadline/signals.js'
import { cancelled } from '../trouble.js'
import { describeOwner, type LeaseAnswer, type LeaseOwner } from './answer.js'
import { type AskOptions, askLease, type HostShell } from './ask.js'
import { type Certainty, contenderWaits, openCertainty } from './certainty.js'
import type { LeaseQuestion } from './script.js'

/** How long a lease lasts, and how long one waits for it. */
export type LeaseLimits = Pick<Limits, 'lease' | 'leaseRenewal' | 'leaseLook' | 'leaseWait' | 'command'>

/** What a lease is on, and for whom. */
export interface LeaseRequest {
  /** What messages call the machine. */
  readonly label: string
  /** The folder on the machine. */
  readonly folder: string
  /** Opens a shell there, anew when the last one is lost. */
  readonly shell: (signal: AbortSignal) => Promise<HostShell>
  /** Unique to this holder: letters, digits and `.-_`. */
  readonly id: string
  readonly who: string
  readonly from: string
  readonly run: string
  readonly limits: LeaseLimits
  readonly signal: AbortSignal
  /** Told once for each owner that is waited for. */
  readonly onWait?: (owner: LeaseOwner | null) => void
}

type DatedRequest = LeaseRequest & { readonly since: string }

/** A machine's lease that is ours, and is renewed until it is given back. */
export interface Lease {
  /** The fencing token. */
  readonly generation: number
  /** Aborts, with an InfraError as its reason, when somebody else has taken it over. */
  readonly lost: AbortSignal
  /** True while nobody can have taken it over, by what is known here: then the machine need not be asked. */
  isCertain(): boolean
  /** Resolves when the machine says, after this was asked, that it is ours still. Throws InfraError. */
  confirm(shell: HostShell | null, signal: AbortSignal): Promise<void>
  /** Gives it back, if it is ours still. Never throws: what is not given back expires. */
  release(): Promise<void>
}

/**
 * Takes a machine's lease, and waits while somebody else has it. One that has expired, by the machine's own
 * clock, is taken over when it is not renewed while we look on for longer than its owner's recorded interval: so a
 * clock that was set does no harm. Throws InfraError (`limit`) when it does not come within `leaseWait`.
 */
export async function takeLease(given: LeaseRequest): Promise<Lease> {
  const request = { ...given, since: new Date().toISOString() }
  const { label, limits, signal } = request
  const startedAt = performance.now()
  const options = { signal, limitMs: limits.command }
  let told: string | null = null
  const certainty = openCertainty()
  let seen: Seen = { mark: '', at: startedAt, everyMs: 0 }
  for (;;) {
    const sent = certainty.now()
    const isDue = seenLongEnough(seen, sent.monotonicMs, limits)
    const answer = await ask(request, 'take', isDue ? seen.mark : '0', options)
    if (answer.word === 'taken') {
      certainty.confirmed(sent, answer)
      return keepLease(request, answer.generation, certainty)
    }
    if (answer.mark !== seen.mark) {
      seen = { mark: answer.mark, at: performance.now(), everyMs: answer.everyMs }
    }
    const owner = answer.owner
    if (told !== (owner?.run ?? '')) {
      told = owner?.run ?? ''
      request.onWait?.(owner)
    }
    if (performance.now() - startedAt >= limits.leaseWait) {
      const limit = formatDuration(limits.leaseWait)
      throw new InfraError(
        `${label}: the limit "leaseWait" of ${limit} was reached: it is in use by ${describeOwner(owner)}`,
        { cause: 'host', where: label, code: 'limit', limit: 'leaseWait' },
      )
    }
    await untilAborted(limits.leaseLook, signal)
    if (signal.aborted) {
      throw cancelled(label, 'waiting for its lease')
    }
  }
}

/** What a machine says of its lease, taking nothing. Throws InfraError. */
export function lookAtLease(
  shell: HostShell,
  folder: string,
  limits: LeaseLimits,
  signal: AbortSignal,
): Promise<LeaseAnswer> {
  const question = { what: 'look', folder, id: 'look', mine: '0', about: [], ...secondsOf(limits) } as const
  return askLease(shell, question, { signal, limitMs: limits.command })
}

/** A lease of somebody else's, and since when it has not been renewed while we looked on. */
interface Seen {
  readonly mark: string
  readonly at: number
  readonly everyMs: number
}

/**
 * Longer than between two renewals, so that a living owner would have shown itself. How often it renews is what its
 * record says; only a record that cannot be read is taken for one of our own.
 */
function seenLongEnough({ mark, at, everyMs }: Seen, now: number, { leaseRenewal }: LeaseLimits): boolean {
  return mark !== '' && now - at > contenderWaits * (everyMs > 0 ? everyMs : leaseRenewal)
}

function keepLease(request: DatedRequest, generation: number, certainty: Certainty): Lease {
  const { label, limits } = request
  const lost = new AbortController()
  const closing = new AbortController()
  const mine = String(generation)

  const lose = (owner: LeaseOwner | null): InfraError => {
    const by = owner === null ? 'it is gone' : `it was taken over by ${describeOwner(owner)}`
    const error = new InfraError(`${label}: the lease was lost: ${by}`, {
      cause: 'host',
      where: label,
      code: 'lease',
    })
    lost.abort(error)
    return error
  }
  const renew = async (shell: HostShell | null, options: AskOptions): Promise<void> => {
    lost.signal.throwIfAborted()
    const given = shell === null ? request : { ...request, shell: async () => shell }
    const sent = certainty.now()
    const answer = await ask(given, 'renew', mine, options)
    if (answer.word !== 'kept') {
      throw lose(answer.owner)
    }
    certainty.confirmed(sent, answer)
  }
  const beat = async (): Promise<void> => {
    let waitMs = limits.leaseRenewal
    while (!lost.signal.aborted) {
      await untilAborted(waitMs, closing.signal)
      if (closing.signal.aborted) {
        return
      }
      waitMs = limits.leaseRenewal
      await renew(null, { signal: closing.signal, limitMs: limits.command }).catch(() => {
        // A guest that reboots, a network that is gone: whoever takes the lease over meanwhile is found out next time.
        waitMs = Math.min(limits.leaseRenewal, limits.leaseLook)
      })
    }
  }
  const beating = beat()
  return {
    generation,
    lost: lost.signal,
    isCertain: () => !lost.signal.aborted && certainty.holds(),
    confirm: (shell, signal) => renew(shell, { signal, limitMs: limits.command }),
    release: async () => {
      closing.abort()
      await beating
      if (!lost.signal.aborted) {
        const limit = { name: 'command', ms: limits.command, where: request.id }
        await withDeadline(limit, signal =>
          ask(request, 'release', mine, { signal, limitMs: limits.command }),
        ).catch(() => {})
      }
    },
  }
}

async function ask(
  { shell, folder, id, limits, who, from, run, since }: DatedRequest,
  what: LeaseQuestion['what'],
  mine: string,
  options: AskOptions,
): Promise<LeaseAnswer> {
  const about = [`who ${word(who)}`, `from ${word(from)}`, `run ${word(run)}`, `since ${since}`]
  const question = { what, folder, id, mine, about, ...secondsOf(limits) }
  return askLease(await shell(options.signal), question, options)
}

function secondsOf({ lease, leaseRenewal }: LeaseLimits): { ttlSec: number; everySec: number } {
  return { ttlSec: Math.ceil(lease / 1000), everySec: Math.ceil(leaseRenewal / 1000) }
}

/** A name as one line of the file. */
function word(text: string): string {
  return text.replace(/[^\p{L}\p{N}.@_ -]+/gu, '_').slice(0, 100) || 'unknown'
}
