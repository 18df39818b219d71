import { InfraError } from '../config/errors.js'
import type { Limits } from '../config/limits.js'
import { deadlineSignal, withDeadline } from '../deadline/deadline.js'
import { type BootIdentity, isSameBoot } from '../guests/boot-identity.js'
import type { RunningGuest } from '../hypervisors/driver.js'
import type { PlannedEnvironment } from '../plan/types.js'
import type { Machine } from '../remote/index.js'
import type { Health } from './broken.js'
import type { EvidenceFile } from './evidence.js'
import type { ExpectedWindow } from './expected.js'
import type { HeldStill } from './held.js'
import type { PeerInstance } from './peer.js'
import type { GuestSystem } from './system.js'

/** What a session needs to know of its instance. */
export interface SessionSource {
  readonly environment: PlannedEnvironment
  readonly instance: string
  readonly running: RunningGuest
  readonly health: Health
  readonly expected: ExpectedWindow
  /** What its host does that stops it. */
  readonly held: HeldStill
  readonly system: GuestSystem
  readonly limits: Limits
  /** True when the driver can tell a guest's failure from its host's. */
  readonly managed: boolean
  /** False for a machine that is not ours to reboot. */
  readonly mayReboot: boolean
  /** Connects anew. A guest that is `booting` may refuse log-ins for a while; from one that is `up` a refusal is final. */
  readonly reach: (signal: AbortSignal, when: 'booting' | 'up') => Promise<Machine>
  /** Opens an evidence file of this instance. */
  readonly evidence: (name: string) => EvidenceFile
}

/** A running guest that is connected, carries the suites' files, and may be lost and found again. */
export class GuestSession {
  readonly source: SessionSource
  /** The folder on the guest that holds everything of ours. */
  readonly folder: string
  readonly facts: Readonly<Record<string, string>>
  readonly factsDigest: string
  readonly expected: ExpectedWindow
  /** The second guest of its environment; `null` where no test needs one. */
  peer: PeerInstance | null = null
  machine: Machine
  identity: BootIdentity
  /** The boot in which we have injected a non-maskable interrupt: its kernel wonders about it. */
  nmiIn: BootIdentity | null = null
  #reconnecting: Promise<unknown> | null = null

  constructor(
    source: SessionSource,
    start: Pick<GuestSession, 'machine' | 'identity' | 'folder' | 'facts' | 'factsDigest'>,
  ) {
    this.source = source
    this.expected = source.expected
    this.machine = start.machine
    this.identity = start.identity
    this.folder = start.folder
    this.facts = start.facts
    this.factsDigest = start.factsDigest
  }

  /**
   * The connection, made anew where the last one did not outlive what the host did to the guest. Throws nothing: where
   * none can be made it is a lost one.
   */
  async connected(signal: AbortSignal): Promise<Machine> {
    const { expected, health, held, instance, limits } = this.source
    const mayBeMade = held.wasHeldOn(this.machine) && expected.current() === null && !health.broken.aborted
    if (this.machine.lost.aborted && mayBeMade) {
      const limit = { name: 'recovery', ms: limits.recovery, where: instance, signal, also: health.broken }
      this.#reconnecting ??= withDeadline(limit, until => this.reconnect(until))
        .catch(() => {})
        .finally(() => {
          this.#reconnecting = null
        })
      await this.#reconnecting
    }
    return this.machine
  }

  /** Gives up the old connection and makes a new one. */
  async reconnect(signal: AbortSignal): Promise<Machine> {
    await this.machine.close().catch(() => {})
    this.machine = await this.source.reach(signal, 'up')
    return this.machine
  }

  /** Removes everything of ours from the guest; an instance that is thrown away needs it not. */
  async clean(signal: AbortSignal): Promise<void> {
    if (!this.source.managed && !this.machine.lost.aborted) {
      const command = this.source.system.removeCommand(this.folder)
      await this.machine.run(command, { signal, limitName: 'undo' })
    }
  }

  async close(): Promise<void> {
    this.source.health.close()
    await this.machine.close()
  }
}

/** What a lost connection turned out to mean. */
export interface Loss {
  /** `fail` when the guest itself broke. */
  readonly verdict: 'fail' | 'error'
  readonly error: InfraError
}

/**
 * Finds out what became of a guest whose connection was lost unexpectedly: it crashed or rebooted
 * (`fail`), its virtual machine is gone, it answers no more though its host is well (`fail`), or only the
 * connection broke (`network`). `lost` is the connection that was in use: another test that lost it may have brought
 * about a new one.
 */
export function diagnoseLoss(
  session: GuestSession,
  signal: AbortSignal,
  lost: Machine = session.machine,
): Promise<Loss> {
  const known = diagnosed.get(lost) ?? diagnose(session, signal)
  diagnosed.set(lost, known)
  return known
}

/** What became of connections that were lost: several tests may have run over one, and it is lost to all of them. */
const diagnosed = new WeakMap<Machine, Promise<Loss>>()

async function diagnose(session: GuestSession, signal: AbortSignal): Promise<Loss> {
  const { health, limits, instance } = session.source
  const lost = (cause: 'guest' | 'network', what: string): Loss => ({
    verdict: cause === 'guest' ? 'fail' : 'error',
    error: new InfraError(`${session.machine.label}: ${what}`, { cause, where: instance, code: 'lost' }),
  })
  await health.look()
  if (health.broken.aborted) {
    return goneLoss(health.broken.reason, lost)
  }
  const { signal: window, clear } = deadlineSignal({
    name: 'recovery',
    ms: limits.recovery,
    where: instance,
    signal,
    also: health.broken,
  })
  const before = session.identity
  try {
    const after = await identifyAgain(session, window)
    session.identity = after
    await health.look()
    if (health.broken.aborted) {
      return goneLoss(health.broken.reason, lost)
    }
    const byHost = await health.byHostSince(before.takenAtMs)
    if (byHost !== null) {
      return { verdict: 'error', error: byHost }
    }
    return !isSameBoot(before, after)
      ? lost('guest', 'the guest rebooted unexpectedly')
      : lost('network', 'the connection was lost; the guest runs on with the same boot identity')
  } catch (error) {
    signal.throwIfAborted()
    if (health.broken.aborted) {
      return goneLoss(health.broken.reason, lost)
    }
    const why = error instanceof Error ? error.message : String(error)
    const what = `the connection was lost and could not be made again: ${why}`
    // One that answers and refuses has not broken: nothing was seen of the test.
    if (error instanceof InfraError && refusals.has(error.context.code)) {
      return { verdict: 'error', error: new InfraError(`${session.machine.label}: ${what}`, error.context) }
    }
    const byHost = await health.byHostSince(before.takenAtMs)
    return byHost === null ? unreachable(session, what, lost) : { verdict: 'error', error: byHost }
  } finally {
    clear()
  }
}

/** Who a guest is on a new connection. One that is cut again says nothing of the guest: it is made once more. */
async function identifyAgain(session: GuestSession, window: AbortSignal): Promise<BootIdentity> {
  for (;;) {
    const machine = await session.reconnect(window)
    try {
      return await session.source.system.identify(machine, { signal: window })
    } catch (error) {
      if (!machine.lost.aborted || window.aborted) {
        throw error
      }
    }
  }
}

/** A guest that answers no more has broken, if nothing else explains it. */
function unreachable(
  { source: { held, instance, managed } }: GuestSession,
  what: string,
  lost: (cause: 'guest' | 'network', what: string) => Loss,
): Loss {
  const action = held.mayBeHeldBy
  if (action === null) {
    return lost(managed ? 'guest' : 'network', what)
  }
  const message = `${what}; its host may hold it still: "${action}" was given up before it had ended`
  return {
    verdict: 'error',
    error: new InfraError(message, { cause: 'host', where: instance, code: 'lost' }),
  }
}

/** How a guest looks that answers, and lets nobody in. */
const refusals: ReadonlySet<string> = new Set(['authentication', 'host-key'])

function goneLoss(reason: unknown, lost: (cause: 'guest' | 'network', what: string) => Loss): Loss {
  if (reason instanceof InfraError) {
    return { verdict: reason.context.cause === 'guest' ? 'fail' : 'error', error: reason }
  }
  return lost('guest', `the virtual machine is gone: ${String(reason)}`)
}
