import { InfraError } from '../../config/errors.js'
import type { WindowsMachine } from '../../remote/index.js'

/** A question that the guest did not answer, or not in a way that can be read. */
export function unanswered(machine: WindowsMachine, what: string): InfraError {
  const isLost = machine.lost.aborted
  return new InfraError(`${machine.label}: ${what}`, {
    cause: isLost ? 'network' : 'guest',
    where: machine.label,
    code: isLost ? 'lost' : 'command',
  })
}
