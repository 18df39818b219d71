import type { Cause } from '../config/errors.js'
import type { FoundTrouble, Observed } from './observed.js'
import {
  afterLimit,
  count,
  describeFailed,
  describeHighStatus,
  describeMissing,
  describeStatus,
  describeUncleanSkip,
  describeUnended,
  withStatus,
} from './reasons.js'

/** The verdicts that an attempt can have; `blocked` and `not-run` are for tests without one. */
export type AttemptVerdict = 'pass' | 'fail' | 'error' | 'skip'

/** One row of the table: it fits when it can say why. */
export interface Row {
  /** What was observed, for `docs/verdicts.md`. */
  readonly observed: string
  readonly verdict: AttemptVerdict
  /** `found`: that of the trouble which was found. Absent on the pass, and only there. */
  readonly cause?: Cause | 'found'
  /** Why the row fits, in one line (empty for a pass), or the trouble it is about; `null` when it does not fit. */
  readonly why: (seen: Observed) => string | FoundTrouble | null
}

/**
 * From what was observed to the verdict. The first row that fits decides. There is one row that gives a pass; it asks
 * for every fact that a pass needs, whatever the rows above it let through. A fact that is added later can make a
 * verdict worse and never better.
 */
export const verdictTable: readonly Row[] = [
  {
    observed: 'the machine was taken over by somebody else while the test ran',
    verdict: 'error',
    cause: 'found',
    why: ({ lease }) => (lease?.isTaken === true ? lease : null),
  },
  {
    observed: 'the peer of the test was lost, or rebooted unexpectedly, while it ran',
    verdict: 'error',
    cause: 'found',
    why: ({ peer }) => peer ?? null,
  },
  {
    observed: 'it began, and a check failed: neither TODO nor SKIP, at any depth, whatever came afterwards',
    verdict: 'fail',
    cause: 'guest',
    why: ({ beginning, failed }) => (beginning.kind === 'seen' ? describeFailed(failed) : null),
  },
  {
    observed: 'the guest broke: a panic, a stop screen, a virtual machine that ended',
    verdict: 'fail',
    cause: 'guest',
    why: ({ crash }) => crash ?? null,
  },
  {
    observed:
      'it began, its report is whole and sound and every check held, but its status is one from 1 to 128',
    verdict: 'fail',
    cause: 'guest',
    why: seen => describeStatus(seen),
  },
  {
    observed: 'the connection was lost because of the guest: it rebooted unexpectedly, or answers no more',
    verdict: 'fail',
    cause: 'guest',
    why: ({ loss, ending }) => (loss?.cause === 'guest' ? afterLimit(ending, loss.message) : null),
  },
  {
    observed: 'the connection was lost for another reason',
    verdict: 'error',
    cause: 'found',
    why: ({ loss, ending }) =>
      loss === undefined ? null : { ...loss, message: afterLimit(ending, loss.message) },
  },
  {
    observed: 'trouble of host, network, guest or runner before it began, or a test that cannot be loaded',
    verdict: 'error',
    cause: 'found',
    why: ({ beginning, ending }) => (beginning.kind === 'missing' && ending.kind === 'threw' ? ending : null),
  },
  {
    observed: 'there is no proof that it began',
    verdict: 'error',
    cause: 'unknown',
    why: ({ beginning, ending }) =>
      beginning.kind === 'missing' ? describeMissing(beginning.printed, ending) : null,
  },
  {
    observed: 'what was seen could not be kept: no space, or a file that vanished',
    verdict: 'error',
    cause: 'runner',
    why: ({ unkept }) => unkept ?? null,
  },
  {
    observed: 'a module was ended by what the guest did: a reboot that cannot be proven',
    verdict: 'fail',
    cause: 'guest',
    why: ({ ending }) => (ending.kind === 'threw' && ending.cause === 'guest' ? ending.message : null),
  },
  {
    observed: 'a module threw: a bug of its own, or trouble of host, network or runner',
    verdict: 'error',
    cause: 'found',
    why: ({ ending }) => (ending.kind === 'threw' ? ending : null),
  },
  {
    observed: 'ends that contradict each other: two statuses, a status and a signal',
    verdict: 'error',
    cause: 'unknown',
    why: ({ contradiction }) => contradiction ?? null,
  },
  {
    observed: 'it reached its limit, no exit status was received, or a signal ended it',
    verdict: 'error',
    cause: 'unknown',
    why: ({ ending }) => describeUnended(ending),
  },
  {
    observed: 'its output was cut at the size limit',
    verdict: 'error',
    cause: 'unknown',
    why: ({ output }) => (output === 'cut' ? 'the output was cut at the size limit' : null),
  },
  {
    observed: 'it says that it could not be carried out: `Bail out!`, or a status declared as `error`',
    verdict: 'error',
    cause: 'unknown',
    why: ({ report }) => (report.kind === 'gave-up' ? report.reason : null),
  },
  {
    observed: 'a status above 128: a signal, or an exit with that number',
    verdict: 'error',
    cause: 'unknown',
    why: ({ ending }) => describeHighStatus(ending),
  },
  {
    observed:
      'a report that cannot be believed: no plan, two plans, a count or an order that differs, a cut last line, a ' +
      'pragma, a line out of place, a subtest without its point, a skip among checks or other output; status 126 ' +
      'or 127 of an `exit` script',
    verdict: 'error',
    cause: 'test',
    why: seen => (seen.report.kind === 'fault' ? withStatus(seen, seen.report.what) : null),
  },
  {
    observed: 'something that it left running still holds its output, so that its end was not seen',
    verdict: 'error',
    cause: 'test',
    why: ({ output }) =>
      output === 'held'
        ? 'something that the script left running still holds its output, so its end was not seen'
        : null,
  },
  {
    observed: 'a module returned while calls of its own were in flight',
    verdict: 'error',
    cause: 'test',
    why: ({ inFlight = [] }) =>
      inFlight.length > 0
        ? `the module returned while ${count(inFlight.length, 'call')} had not been answered (is an "await" missing?): ${inFlight.join(', ')}`
        : null,
  },
  {
    observed:
      'a module returned, but its thread did not end by itself, or ended with an error; a check or a call after its ' +
      'end; checks that were made and not received',
    verdict: 'error',
    cause: 'test',
    why: ({ improperEnd }) => improperEnd ?? null,
  },
  {
    observed: 'a module gave values to `expect` and did not ask about them',
    verdict: 'error',
    cause: 'test',
    why: ({ unfinished = 0 }) =>
      unfinished > 0 ? `${count(unfinished, 'value')} given to expect and not asked about` : null,
  },
  {
    observed: 'it is not certain that the machine was ours to the end of the test',
    verdict: 'error',
    cause: 'found',
    why: ({ lease }) => lease ?? null,
  },
  {
    observed: 'a skip after checks, or one whose end is not clean',
    verdict: 'error',
    cause: 'test',
    why: seen => describeUncleanSkip(seen),
  },
  {
    observed:
      'it says that it does not apply: `1..0 # SKIP`, SKIP points alone, a status declared as `skip`, or `skip` of ' +
      'a module; with an end that agrees (KTAP: status 0 or 4)',
    verdict: 'skip',
    cause: 'guest',
    why: ({ report, ending }) => {
      const said = ending.kind === 'skipped' ? ending : report.kind === 'skip' ? report : null
      return said && (said.reason || 'the test gave no reason')
    },
  },
  {
    observed: 'no check was executed: no checks at all, or TODO points alone',
    verdict: 'error',
    cause: 'test',
    why: seen =>
      seen.held === 0
        ? withStatus(
            seen,
            seen.by === 'module' ? 'the module returned without a check' : 'no check was executed',
          )
        : null,
  },
  {
    observed:
      'it began; it ended with status 0, or returned; its output is whole and its report sound; at least one check ' +
      'was executed and every one held; nothing above was found',
    verdict: 'pass',
    why: seen => (isObservedPass(seen) ? '' : null),
  },
  {
    observed: 'anything else',
    verdict: 'error',
    cause: 'runner',
    why: () => 'what was observed fits no rule',
  },
]

/** Asks again for all that a pass needs: the rows above may change, this may not. */
function isObservedPass(seen: Observed): boolean {
  const { ending } = seen
  const isEnded =
    seen.by === 'module' ? ending.kind === 'returned' : ending.kind === 'code' && ending.code === 0
  const against = [seen.lease, seen.peer, seen.crash, seen.loss, seen.unkept, seen.contradiction]
  return (
    seen.beginning.kind === 'seen' &&
    isEnded &&
    seen.output === 'whole' &&
    seen.report.kind === 'sound' &&
    seen.held > 0 &&
    seen.failed.length === 0 &&
    (seen.unfinished ?? 0) === 0 &&
    (seen.inFlight ?? []).length === 0 &&
    seen.improperEnd === undefined &&
    against.every(fact => fact === undefined)
  )
}
