import { InfraError } from '../config/errors.js'
import type { Machine } from './machine.js'
import { parseSweep, sweepCommand } from './shells/sweep.js'
import { peerText } from './trouble.js'

export { parseSweep, sweepCommand } from './shells/sweep.js'

/** How long a sweep may take. */
export interface SweepOptions {
  readonly limitMs: number
  readonly signal?: AbortSignal
}

/**
 * Kills every process on the machine whose mark is this or begins with it and a `/`, and looks
 * whether any is left. Returns how many were killed. Throws InfraError (`command`) when some remain
 * or could not be looked for.
 */
export async function sweep(
  machine: Machine,
  mark: string,
  { limitMs, signal }: SweepOptions,
): Promise<number> {
  const { stdout, stderr, exit } = await machine.run(sweepCommand({ mark }), {
    limitMs,
    limitName: 'stop',
    ...(signal === undefined ? {} : { signal }),
  })
  const swept = parseSweep(stdout.text)
  if (swept !== null && swept.left.length === 0) {
    return swept.killed
  }
  const said = peerText(stderr.text)
  const what =
    swept === null
      ? `could not be looked for (${exit.kind})${said === '' ? '' : `: ${said}`}`
      : `could not be killed: ${swept.left.join(' ')}`
  throw new InfraError(`${machine.label}: processes of an earlier run ${what}`, {
    cause: 'guest',
    where: machine.label,
    code: 'command',
  })
}
