import { UsageError } from '../config/errors.js'
import type { Choice } from '../plan/choice.js'
import type { Level } from '../plan/types.js'
import { listFlag, type ParsedArgs, textFlag } from './args.js'

/** Reads the flags that choose what a pass takes. */
export function readChoice(args: ParsedArgs): Choice {
  return {
    guests: listFlag(args, 'guest'),
    hosts: listFlag(args, 'host'),
    suites: listFlag(args, 'suite'),
    tests: listFlag(args, 'test'),
    tags: listFlag(args, 'tag'),
    levels: listFlag(args, 'level') as readonly Level[],
    grep: readGrep(textFlag(args, 'grep')),
  }
}

function readGrep(pattern: string | undefined): RegExp | null {
  if (pattern === undefined) {
    return null
  }
  try {
    return new RegExp(pattern, 'i')
  } catch (error) {
    throw new UsageError(
      `--grep ${pattern} is not a regular expression: ${error instanceof Error ? error.message : error}`,
    )
  }
}
