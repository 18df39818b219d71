/**
 * How a command ended, from all that was seen of its end. A status counts only when the line behind the output and the
 * channel agree on it; whatever else was seen is an end that nothing may be concluded from.
 */
import type { Exit } from '../../journal/events.js'
import { peerText } from '../trouble.js'

/** One end that the SSH server told of: RFC 4254, 6.10. A well-behaved server tells of one. */
export type ChannelEnd = Extract<Exit, { readonly kind: 'code' | 'signal' }>

/** What was seen of a command's end. */
export interface EndingSeen {
  /** In the order in which they came. */
  readonly ends: readonly ChannelEnd[]
  /** The status on our line behind the output; `null` when it did not come. */
  readonly status: number | null
  /** Why our lines cannot be believed, if so. */
  readonly doubt: string | null
  /** Where the channel has only the lowest 8 bits of a status. */
  readonly isWide: boolean
}

/** What may be said of a command's end. */
export function endingOf({ ends, status, doubt, isWide }: EndingSeen): Exit {
  const [end, second] = ends
  if (end === undefined) {
    return { kind: 'lost' }
  }
  if (second !== undefined) {
    return unproven(`contradictory ends: ${ends.map(describe).join(', then ')}`)
  }
  if (doubt !== null) {
    return unproven(`its output cannot be believed: ${doubt}`)
  }
  if (end.kind === 'signal') {
    return status === null
      ? end
      : unproven(`contradictory ends: ${describe(end)}, but its last line says ${status}`)
  }
  if (status === null) {
    return unproven(`its last line did not come, so that its output may not be whole (${describe(end)})`)
  }
  const told = end.code >>> 0
  const said = status >>> 0
  const agrees = told === said || (isWide && told === (said & 0xff))
  return agrees
    ? { kind: 'code', code: said }
    : unproven(`contradictory ends: ${describe(end)}, but its last line says ${said}`)
}

/** An end in words. */
export function describe(end: ChannelEnd): string {
  return end.kind === 'code' ? `status ${end.code}` : `signal ${peerText(end.signal)}`
}

function unproven(why: string): Exit {
  return { kind: 'unproven', why }
}
