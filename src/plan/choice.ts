import { UsageError } from '../config/errors.js'
import { nearest } from '../config/nearest.js'
import { withoutParameters } from '../config/parameters.js'
import type { SuiteTest } from './suite.js'
import type { Level } from './types.js'

/** What of a lab and its suites a run takes. An empty list leaves a dimension free; `*` and `?` are wild. */
export interface Choice {
  readonly guests: readonly string[]
  readonly hosts: readonly string[]
  readonly suites: readonly string[]
  /** `suite/test`, or the test's name alone; with its parameters, or without them for all of its values. */
  readonly tests: readonly string[]
  readonly tags: readonly string[]
  readonly levels: readonly Level[]
  /** A regular expression over id and title. */
  readonly grep: RegExp | null
  /** Nothing but these tests, by environment; all when absent. */
  readonly only?: ReadonlyMap<string, ReadonlySet<string>>
}

export const everything: Choice = {
  guests: [],
  hosts: [],
  suites: [],
  tests: [],
  tags: [],
  levels: [],
  grep: null,
}

/** Whether a name is among the chosen ones. */
export function isChosen(patterns: readonly string[], name: string): boolean {
  return patterns.length === 0 || patterns.some(pattern => globMatches(pattern, name))
}

/** Whether a choice takes a test. */
export function takesTest(choice: Choice, test: SuiteTest): boolean {
  const [suite = ''] = test.id.split('/')
  return (
    isChosen(choice.suites, suite) &&
    namesOf(test).some(name => isChosen(choice.tests, name)) &&
    (choice.tags.length === 0 || test.tags.some(tag => isChosen(choice.tags, tag))) &&
    (choice.levels.length === 0 || choice.levels.includes(test.level)) &&
    (choice.grep === null || choice.grep.test(test.id) || choice.grep.test(test.title))
  )
}

/**
 * The tests that a choice takes in an environment, and those that they come after: what must pass first has to be seen
 * to.
 */
export function testsTaken(
  choice: Choice,
  tests: readonly SuiteTest[],
  environment: string,
): ReadonlySet<string> {
  const taken = new Set<string>()
  const isOffered = ({ id }: SuiteTest): boolean => choice.only?.get(environment)?.has(id) ?? !choice.only
  // Predecessors stand above.
  for (const test of [...tests].reverse()) {
    if (taken.has(test.id) || (isOffered(test) && takesTest(choice, test))) {
      for (const id of [test.id, ...test.after]) taken.add(id)
    }
  }
  return taken
}

/** What a test may be called: with its suite or without it, with its parameters or without them. */
export function namesOf({ id }: Pick<SuiteTest, 'id'>): string[] {
  const [, name = id] = id.split('/')
  return [...new Set([id, name, withoutParameters(id), withoutParameters(name)])]
}

/** Refuses a pattern that matches nothing: a misspelt choice must not pass as a small one. */
export function refuseUnknown(flag: string, patterns: readonly string[], known: readonly string[]): void {
  for (const pattern of patterns) {
    if (!known.some(name => globMatches(pattern, name))) {
      const near = nearest(pattern, known)
      const hint = near === null ? `known: ${known.join(', ') || 'none'}` : `did you mean "${near}"?`
      throw new UsageError(`${flag} ${pattern} matches nothing: ${hint}`)
    }
  }
}

function globMatches(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`).test(name)
}
