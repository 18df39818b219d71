import { InfraError } from '../../config/errors.js'
import { isRecord, type QmpEvent } from './qmp-message.js'

/** Why a guest is gone, and whose fault it is. */
export interface Loss {
  readonly cause: 'guest' | 'host'
  readonly why: string
  /** True when KVM gave up on the guest in the middle: it is no longer to be trusted here. */
  readonly acceleratorFailed: boolean
}

const ofGuest = (why: string): Loss => ({ cause: 'guest', why, acceleratorFailed: false })
const ofHost = (why: string): Loss => ({ cause: 'host', why, acceleratorFailed: false })

/** What an event alone says about a loss; `null` when the guest goes on, or when its state must be asked. */
export function lossOfEvent({ name, data }: QmpEvent): Loss | null {
  switch (name) {
    case 'SHUTDOWN':
      return data.guest === true
        ? ofGuest(`the guest shut itself down (${String(data.reason)})`)
        : ofHost(`QEMU was told to end (${String(data.reason)})`)
    case 'BLOCK_IO_ERROR':
      return data.action === 'stop'
        ? ofHost(`the host could not ${String(data.operation)} the guest's disk: ${String(data.reason)}`)
        : null
    default:
      return null
  }
}

/** What the answer to `query-status` says about a loss; `null` when the guest goes on or was paused. */
export function lossOfStatus(answer: unknown): Loss | null {
  const status = isRecord(answer) ? answer.status : null
  switch (status) {
    case 'internal-error':
      return { ...ofHost('the accelerator failed (internal error)'), acceleratorFailed: true }
    case 'io-error':
      return ofHost("the host's disk failed or is full (io-error)")
    case 'guest-panicked':
      return ofGuest('the guest panicked')
    case 'shutdown':
      return ofGuest('the guest shut itself down')
    default:
      return null
  }
}

/** The reason that `gone` carries. */
export function lossError(where: string, { cause, why }: Loss): InfraError {
  return new InfraError(`${where}: ${why}`, { cause, where, code: 'lost' })
}
