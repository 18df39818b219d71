import type { Host } from '../config/model.js'

/** Who asks for a plan, and when: a plan takes neither from the process around it. */
export interface Requester {
  readonly who: string
  /** In ms since 1970. */
  readonly nowMs: number
}

/** Why a host is not ours to use now, or `null`: somebody else has reserved it, and still does. */
export function whyReserved(
  { id, reserved }: Pick<Host, 'id' | 'reserved'>,
  requester: Requester | null,
): string | null {
  if (reserved === undefined || requester === null) {
    return null
  }
  const { by, untilMs, why } = reserved
  if (by === requester.who || untilMs <= requester.nowMs) {
    return null
  }
  return `the host ${id} is reserved by ${by} until ${new Date(untilMs).toISOString()} (${why}), and you are ${requester.who}`
}
