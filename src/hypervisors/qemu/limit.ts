import { InfraError } from '../../config/errors.js'

/** A named bound on one wait, in ms. */
export interface Limit {
  readonly name: string
  readonly ms: number
}

/** Every wait of this driver, by name. */
export interface QemuLimits {
  /** From starting QEMU until it speaks QMP. */
  readonly start: Limit
  /** One QMP command. */
  readonly command: Limit
  /** Writing, loading or deleting one snapshot. */
  readonly snapshot: Limit
  /** From pressing the power button until the guest has shut down by itself. */
  readonly powerdown: Limit
  /** From telling QEMU to end, by word or by SIGKILL, until it has. */
  readonly quit: Limit
  /** Making or removing an overlay. */
  readonly overlay: Limit
  /** Booting a guest under KVM, to see whether it does. */
  readonly probe: Limit
}

export const defaultQemuLimits: QemuLimits = {
  start: { name: 'qemu start', ms: 30_000 },
  command: { name: 'qemu command', ms: 20_000 },
  snapshot: { name: 'qemu snapshot', ms: 180_000 },
  powerdown: { name: 'qemu powerdown', ms: 20_000 },
  quit: { name: 'qemu quit', ms: 10_000 },
  overlay: { name: 'qemu overlay', ms: 60_000 },
  // A guest that takes longer gains nothing by KVM.
  probe: { name: 'kvm probe', ms: 30_000 },
}

/** Waits for an answer within a limit; the caller's signal ends the wait at once. */
export async function bounded<T>(
  answer: Promise<T>,
  where: string,
  what: string,
  limit: Limit,
  signal: AbortSignal,
): Promise<T> {
  let giveUp: (error: InfraError) => void = () => {}
  const given = new Promise<never>((_resolve, reject) => {
    giveUp = reject
  })
  const late = (): void => {
    const message = `${where}: ${what} did not come within ${limit.name} (${limit.ms} ms)`
    giveUp(new InfraError(message, { cause: 'host', where, code: 'limit', limit: limit.name }))
  }
  const cancelled = (): void => {
    giveUp(new InfraError(`${where}: ${what} was cancelled`, { cause: 'runner', where, code: 'cancelled' }))
  }
  const timer = setTimeout(late, limit.ms)
  signal.addEventListener('abort', cancelled, { once: true })
  if (signal.aborted) {
    cancelled()
  }
  try {
    return await Promise.race([answer, given])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', cancelled)
  }
}

/** Resolves when the signal aborts; at once when it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) {
      resolve()
    } else {
      signal.addEventListener('abort', () => resolve(), { once: true })
    }
  })
}
