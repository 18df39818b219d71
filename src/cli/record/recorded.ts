import type { Appended } from '../../record/ledger/append.js'
import { told } from '../../record/ledger/decisions.js'
import { answer } from '../answer.js'
import type { CommandIo, ParsedArgs } from '../args.js'

/** Something that was recorded, and what it is in words. */
export interface Recorded {
  readonly appended: Appended
  readonly what: string
}

/** What was recorded, each with the words for it. */
export function recordedOf(
  appended: readonly Appended[],
  words: readonly (string | undefined)[],
): readonly Recorded[] {
  return appended.map((one, index) => ({ appended: one, what: words[index] ?? '' }))
}

/** Prints what was recorded. */
export function answerRecorded(args: ParsedArgs, io: CommandIo, recorded: readonly Recorded[]): void {
  answer(args, io, {
    value: recordedValue(recorded),
    text: () => recordedText(recorded),
    quiet: () => '',
  })
}

/** Recorded entries for people. */
export function recordedText(recorded: readonly Recorded[]): string {
  return recorded.map(({ appended, what }) => told(appended, what)).join('')
}

/** Recorded entries for programs. */
export function recordedValue(recorded: readonly Recorded[]): readonly object[] {
  return recorded.map(({ appended: { index, leaf, isNew }, what }) => ({ index, leaf, isNew, what }))
}
