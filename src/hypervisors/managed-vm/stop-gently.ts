import { InfraError } from '../../config/errors.js'
import { awaitSent } from './await-state.js'
import type { VmBackend } from './backend.js'
import type { Observation } from './observation.js'

const never = new AbortController().signal

/** Asks a guest to shut down and waits, then ends its machine by force. Again, if need be. */
export async function stopGently(backend: VmBackend, signal: AbortSignal): Promise<void> {
  const isGone = ({ power }: Observation): boolean => power === 'off' || power === 'absent'
  try {
    const before = await backend.observe({ devices: false }, signal)
    if (isGone(before)) {
      return
    }
    if (before.power === 'paused') {
      await awaitSent(backend, backend.start(signal), signal)
    }
    if (before.power !== 'crashed') {
      const { seen } = await awaitSent(backend, backend.requestShutdown(signal), signal)
      if (seen !== null && isGone(seen)) {
        return
      }
    }
  } catch (error) {
    // Whatever kept it from its end, force does not: but nothing is forced on a host that is not reached.
    if (error instanceof InfraError && (error.context.code === 'lost' || error.context.code === 'connect')) {
      throw error
    }
  }
  const until = signal.aborted ? never : signal
  await awaitSent(backend, backend.kill(until), until)
}
