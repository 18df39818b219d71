import { formatDuration } from '../config/units.js'
import { cutText } from './document.js'
import type { Ending, Observed } from './observed.js'

/** Above this a status may be a signal (POSIX, Shell Command Language, 2.8.2). */
export const largestOwnStatus = 128

const shownOutput = 200
/** Signals that have the same number on Linux of every architecture. */
const signalNames: Readonly<Record<number, string>> = {
  1: 'HUP',
  2: 'INT',
  3: 'QUIT',
  4: 'ILL',
  6: 'ABRT',
  8: 'FPE',
  9: 'KILL',
  11: 'SEGV',
  13: 'PIPE',
  14: 'ALRM',
  15: 'TERM',
}

/** What stands in the verdict when checks failed; `null` when none did. */
export function describeFailed([first, ...others]: readonly string[]): string | null {
  if (first === undefined) {
    return null
  }
  return others.length === 0 ? first : `${first} (and ${others.length} more)`
}

/** Why an ending is not an observed end; `null` for a status, a return or a skip. */
export function describeUnended(ending: Ending): string | null {
  switch (ending.kind) {
    case 'signal':
      return `the script was ended by signal ${ending.signal}`
    case 'lost':
      return 'no exit status received'
    case 'unproven':
      return ending.why
    case 'limit':
      return `the script reached its limit (${ending.limit}: ${formatDuration(ending.limitMs)})`
    case 'code':
    case 'returned':
    case 'skipped':
    case 'threw':
      return null
  }
}

/** A status that a shell may give for a command that a signal ended; `null` for any other ending. */
export function describeHighStatus(ending: Ending): string | null {
  if (ending.kind !== 'code' || ending.code <= largestOwnStatus) {
    return null
  }
  const number = ending.code - largestOwnStatus
  const name = signalNames[number]
  return `the exit status was ${ending.code}: signal ${name ?? number} or exit ${ending.code}`
}

/** A status with which a script says that something is wrong although every check held; else `null`. */
export function describeStatus({
  beginning,
  ending,
  contradiction,
  output,
  report,
  held,
}: Observed): string | null {
  const isSound = output !== 'cut' && report.kind === 'sound' && held > 0 && contradiction === undefined
  return beginning.kind === 'seen' &&
    ending.kind === 'code' &&
    ending.code !== 0 &&
    ending.code <= largestOwnStatus &&
    isSound
    ? `every check held, but the exit status was ${ending.code}`
    : null
}

/** What came instead of the proof that the command began. */
export function describeMissing(printed: string, ending: Ending): string {
  const text = cutText(printed.replace(/\s+/g, ' ').trim(), shownOutput)
  const instead = text === '' ? 'the guest printed nothing' : `the guest printed: ${text}`
  const end =
    ending.kind === 'code'
      ? `the exit status was ${ending.code}`
      : (describeUnended(ending) ?? 'it did not run')
  return `the command was not carried out (${end}); ${instead}`
}

/** Says that the limit had been reached before the trouble was found. */
export function afterLimit(ending: Ending, message: string): string {
  return ending.kind === 'limit' ? `the limit "${ending.limit}" was reached, and then ${message}` : message
}

/** A reason, and the status of a script that did not end with 0. */
export function withStatus({ ending, by }: Observed, reason: string): string {
  return ending.kind === 'code' && ending.code !== 0 && by !== 'exit'
    ? `${reason}; the exit status was ${ending.code}`
    : reason
}

/** Why a skip is none; `null` for a clean one, and for what is not a skip. */
export function describeUncleanSkip(seen: Observed): string | null {
  const { report, ending, held } = seen
  if (ending.kind === 'skipped') {
    return held > 0 ? `skip after ${count(held, 'check')}: ${ending.reason}` : null
  }
  if (report.kind !== 'skip') {
    return null
  }
  const isClean = ending.kind === 'code' && report.statuses.includes(ending.code) && held === 0
  return isClean ? null : withStatus(seen, 'a skip, but not a clean end')
}

/** `1 check`, `2 checks`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
