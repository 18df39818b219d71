import type { Host } from '../config/model.js'

/** Who asks for a plan, and when: a plan takes neither from the process around it. */
export interface Asker {
  readonly who: string
  /** In ms since 1970. */
  readonly nowMs: number
}

/** Why a host is not ours to use now, or `null`: somebody else has reserved it, and still does. */
export function whyReserved(
  { id, reserved }: Pick<Host, 'id' | 'reserved'>,
  asker: Asker | null,
): string | null {
  if (reserved === undefined || asker === null) {
    return null
  }
  const { by, untilMs, why } = reserved
  if (by === asker.who || untilMs <= asker.nowMs) {
    return null
  }
  return `the host ${id} is reserved by ${by} until ${new Date(untilMs).toISOString()} (${why}), and you are ${asker.who}`
}
