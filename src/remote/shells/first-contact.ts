/**
 * The first command on a machine ends with a status that is not 0 and is made up for it: a server that answers with
 * success whatever it is asked, or that loses statuses, is found out before any test relies on it.
 */
import { randomInt } from 'node:crypto'
import { InfraError } from '../../config/errors.js'
import type { Exit } from '../../journal/events.js'
import { NotCarriedOut } from './not-begun.js'

/** Statuses that no shell uses for itself. */
const [lowest, highest] = [64, 112]

/** A status for a first command to end with. */
export function firstStatus(): number {
  return randomInt(lowest, highest)
}

/**
 * Refuses a machine whose first command ended with the status on its own word and another on its server's. Throws
 * InfraError that no retry mends; any other end is left to the caller.
 */
export function demandBelievable(exit: Exit, status: number, where: string): void {
  if (exit.kind === 'unproven') {
    throw refused(where, `a command that ends with status ${status} was answered otherwise: ${exit.why}`)
  }
  if (exit.kind === 'code' && exit.code === 0) {
    throw refused(where, `it answers a command that ends with status ${status} with status 0`)
  }
}

/**
 * Why a first command was not carried out: a machine that starts up refuses, and is asked again; one that says that all
 * is well will never carry anything out.
 */
export function asFirstContact(error: unknown): unknown {
  if (!(error instanceof NotCarriedOut)) {
    return error
  }
  const { where } = error.context
  return error.exit.kind === 'code' && error.exit.code === 0
    ? refused(where, `it answers with status 0 whatever it is asked; ${error.message}`)
    : new InfraError(error.message, { cause: 'guest', where, code: 'command' }, { cause: error })
}

function refused(where: string, why: string): InfraError {
  const what = `${where}: exit statuses of this SSH server cannot be trusted: ${why}`
  return new InfraError(what, { cause: 'unknown', where, code: 'command' })
}
