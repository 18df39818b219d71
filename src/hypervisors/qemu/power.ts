import type { Account, Observation } from '../managed-vm/observation.js'
import { isRecord, type QmpEvent } from './qmp-message.js'

/** What an event alone says of a loss; `null` when the guest goes on, or when its state must be asked. */
export function accountOfEvent({ name, data }: QmpEvent): Account | null {
  switch (name) {
    case 'SHUTDOWN':
      return data.guest === true
        ? { cause: 'guest', why: `the guest shut itself down (${String(data.reason)})` }
        : { cause: 'host', why: `QEMU was told to end (${String(data.reason)})` }
    case 'BLOCK_IO_ERROR':
      return data.action === 'stop'
        ? {
            cause: 'host',
            why: `the host could not ${String(data.operation)} the guest's disk: ${String(data.reason)}`,
          }
        : null
    default:
      return null
  }
}

/** The status of a guest whose accelerator gave up on it in the middle. */
export const acceleratorFailed = 'internal-error'

/** What the answer to `query-status` says (RunState of qapi/run-state.json). */
export function powerOfStatus(answer: unknown): Pick<Observation, 'power' | 'said' | 'account'> {
  const status = isRecord(answer) ? String(answer.status) : 'unknown'
  const said = status
  switch (status) {
    case acceleratorFailed:
      return {
        power: 'paused',
        said,
        account: { cause: 'host', why: 'the accelerator failed (internal error)' },
      }
    case 'io-error':
      return {
        power: 'paused',
        said,
        account: { cause: 'host', why: "the host's disk failed or is full (io-error)" },
      }
    case 'guest-panicked':
      return { power: 'crashed', said, account: { cause: 'guest', why: 'the guest panicked' } }
    case 'shutdown':
      return { power: 'ending', said, account: { cause: 'guest', why: 'the guest shut itself down' } }
    case 'paused':
    case 'suspended':
      return { power: 'paused', said }
    case 'running':
      return { power: 'on', said }
    default:
      // It starts, saves or loads, which passes.
      return { power: 'busy', said }
  }
}
