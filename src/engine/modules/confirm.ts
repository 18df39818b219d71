import { InfraError } from '../../config/errors.js'
import { isSameBoot } from '../../guests/boot-identity.js'
import { diagnoseLoss, type GuestSession } from '../session.js'

/**
 * A round trip after a module: `null` when the guest answers over the same connection and is in the boot that it should
 * be in. What became of it while the module ran belongs to that module, and not to the test that comes next.
 */
export async function confirmGuest(session: GuestSession, stop: AbortSignal): Promise<InfraError | null> {
  const { health, instance, limits, system } = session.source
  await session.connected(stop)
  if (session.machine.lost.aborted || health.broken.aborted) {
    return (await diagnoseLoss(session, stop)).error
  }
  try {
    const now = await system.identify(session.machine, { signal: stop, limitMs: limits.command })
    if (isSameBoot(session.identity, now)) {
      return null
    }
    const byHost = await health.byHostSince(session.identity.takenAtMs)
    session.identity = now
    if (byHost !== null) {
      return byHost
    }
    const message = `${session.machine.label}: the guest rebooted unexpectedly while the test ran`
    return new InfraError(message, { cause: 'guest', where: instance, code: 'lost' })
  } catch (error) {
    stop.throwIfAborted()
    const isSilent =
      session.machine.lost.aborted ||
      health.broken.aborted ||
      (error instanceof InfraError && (error.context.code === 'limit' || error.context.code === 'lost'))
    if (isSilent) {
      return (await diagnoseLoss(session, stop)).error
    }
    if (error instanceof InfraError) {
      return error
    }
    throw error
  }
}
