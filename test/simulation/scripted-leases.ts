import { InfraError } from '../../src/config/errors.js'
import type { Held, Leases } from '../../src/hypervisors/lease.js'
import { forever, pause } from './pause.js'
import type { Random } from './random.js'
import type { Session } from './session.js'
import type { Truth } from './truth.js'
import { limits, type World } from './world.js'

const renewedForMs = 30_000

/** Leases of hosts that somebody else takes over, at a moment drawn from the seed; some are never to be had. */
export function scriptedLeases(
  world: World,
  random: Random,
  truth: Truth,
  { now, epoch }: Pick<Session, 'now' | 'epoch'>,
): Leases {
  const lost = new Map<string, AbortController>()
  return {
    hold: async ({ host, signal, onWait }) => {
      const { id } = host
      const drawn = epoch === 1 ? id : `${id} in session ${epoch}`
      const key = `${epoch} ${id}`
      if (!world.isCalm && random.happens(`${drawn} is leased`, 0.05)) {
        truth.trouble('lease awaited')
        onWait(id, 'somebody else')
        await pause(random.happens(`${drawn} is freed`, 0.5) ? 40_000 : limits.leaseWait, signal)
        if (!random.happens(`${drawn} is freed`, 0.5)) {
          throw taken(id, 'limit')
        }
      }
      await pause(200, signal)
      const known = lost.get(id)
      known?.signal.throwIfAborted()
      const controller = known ?? new AbortController()
      if (known === undefined) {
        lost.set(id, controller)
        const endsAtMs =
          !world.isCalm && random.happens(`${drawn} taken over`, 0.08)
            ? now() + random.ms(`${drawn} taken over at`, 1_000, 300_000)
            : Number.POSITIVE_INFINITY
        truth.leaseEnds.set(key, endsAtMs)
        if (Number.isFinite(endsAtMs)) {
          // It is heard of only at the next renewal.
          const heardInMs = endsAtMs - now() + random.ms(`${drawn} heard`, 0, 20_000)
          setTimeout(() => controller.abort(taken(id, 'lease')), Math.min(forever, heardInMs)).unref()
          truth.trouble('lease taken over')
        }
      }
      const endsAtMs = truth.leaseEnds.get(key) ?? Number.POSITIVE_INFINITY
      const held: Held = {
        machine: id,
        token: 1,
        isGuest: false,
        lost: controller.signal,
        isCertain: () => now() < endsAtMs - renewedForMs,
        confirm: async (_, until) => {
          await pause(300, until)
          if (now() >= endsAtMs) {
            controller.abort(taken(id, 'lease'))
            throw controller.signal.reason
          }
        },
        lend: () => null,
        leave: () => {},
      }
      return held
    },
    close: async () => {},
  }
}

function taken(host: string, code: 'lease' | 'limit'): InfraError {
  return new InfraError(`${host}: it is somebody else's`, { cause: 'host', where: host, code })
}
