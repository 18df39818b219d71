import { inspect, isDeepStrictEqual } from 'node:util'

/** One check that a module made. */
export interface RecordedCheck {
  readonly state: 'ok' | 'not-ok'
  readonly text: string
  readonly diagnostics?: string
}

/**
 * What can be asked of a value. Each call records one check under its text and tells whether it held; none throws, so
 * that a test shows all that is wrong. A test that cannot go on after a check returns: `if (!expect(…).toBe(…)) return`.
 *
 * A value of the wrong type never holds, negated or not: `expect(NaN).not.toBeLessThan(1, …)` is a failed check, and so
 * is every question about a promise.
 */
export interface Expectation {
  /** The same value, as `Object.is` has it. */
  toBe(wanted: unknown, text: string): boolean
  /** The same structure, as `node:assert`'s strict equality has it. */
  toEqual(wanted: unknown, text: string): boolean
  toBeOneOf(wanted: readonly unknown[], text: string): boolean
  toBeLessThan(limit: number, text: string): boolean
  toBeAtMost(limit: number, text: string): boolean
  toBeGreaterThan(limit: number, text: string): boolean
  toBeAtLeast(limit: number, text: string): boolean
  /** Both bounds belong to the range. */
  toBeWithin(least: number, most: number, text: string): boolean
  /** A string in which the expression, or the other string, is found. */
  toMatch(wanted: RegExp | string, text: string): boolean
  /** An array with an element that is the same structure. */
  toContain(wanted: unknown, text: string): boolean
  /** The next question, negated. */
  readonly not: Omit<Expectation, 'not'>
}

/** Begins a check of a value. */
export type Expect = (got: unknown) => Expectation

/** An `expect`, and how many of its calls asked nothing of their value. */
export interface Recorder {
  readonly expect: Expect
  /** Values that were given to `expect` without a question: such a test checks less than it says. */
  unfinished(): number
}

const maxDiagnostics = 16 * 1024

/** Makes an `expect` that hands every check to `record`. */
export function createExpect(record: (check: RecordedCheck) => void): Recorder {
  let open = 0
  return {
    unfinished: () => open,
    expect: got => {
      open++
      let isOpen = true
      const note: Note = (isSo, wanted, text) => {
        if (isOpen) open--
        isOpen = false
        const name = text.trim() || wanted
        // Whatever was asked, it was not asked of the value that is meant.
        const held = isSo && !isThenable(got)
        if (held) record({ state: 'ok', text: name })
        else record({ state: 'not-ok', text: name, diagnostics: describe(got, wanted) })
        return held
      }
      return { ...questions(got, note, true), not: questions(got, note, false) }
    },
  }
}

function isThenable(value: unknown): boolean {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isObject && typeof (value as { then?: unknown }).then === 'function'
}

type Note = (held: boolean, wanted: string, text: string) => boolean

function questions(got: unknown, note: Note, holds: boolean): Omit<Expectation, 'not'> {
  const not = holds ? '' : 'not '
  const say = (is: boolean, wanted: string, text: string): boolean =>
    note(is === holds, `${not}${wanted}`, text)
  const number = (
    limits: readonly number[],
    is: (value: number) => boolean,
    wanted: string,
    text: string,
  ): boolean =>
    typeof got === 'number' && ![got, ...limits].some(Number.isNaN)
      ? say(is(got), wanted, text)
      : note(false, `a number that is ${not}${wanted}`, text)
  return {
    toBe: (wanted, text) => say(Object.is(got, wanted), show(wanted), text),
    toEqual: (wanted, text) => say(isDeepStrictEqual(got, wanted), show(wanted), text),
    toBeOneOf: (wanted, text) =>
      say(
        wanted.some(one => isDeepStrictEqual(got, one)),
        `one of ${show(wanted)}`,
        text,
      ),
    toBeLessThan: (limit, text) => number([limit], value => value < limit, `less than ${limit}`, text),
    toBeAtMost: (limit, text) => number([limit], value => value <= limit, `at most ${limit}`, text),
    toBeGreaterThan: (limit, text) => number([limit], value => value > limit, `more than ${limit}`, text),
    toBeAtLeast: (limit, text) => number([limit], value => value >= limit, `at least ${limit}`, text),
    toBeWithin: (least, most, text) =>
      number([least, most], value => value >= least && value <= most, `from ${least} to ${most}`, text),
    toMatch: (wanted, text) =>
      typeof got === 'string'
        ? say(finds(wanted, got), `a match for ${show(wanted)}`, text)
        : note(false, `a string, ${not}a match for ${show(wanted)}`, text),
    toContain: (wanted, text) =>
      Array.isArray(got)
        ? say(
            got.some(one => isDeepStrictEqual(one, wanted)),
            `with ${show(wanted)} in it`,
            text,
          )
        : note(false, `an array, ${not}with ${show(wanted)} in it`, text),
  }
}

/** Without the state that a global or sticky expression keeps between two uses. */
function finds(wanted: RegExp | string, got: string): boolean {
  if (typeof wanted === 'string') return got.includes(wanted)
  return new RegExp(wanted.source, wanted.flags.replace(/[gy]/g, '')).test(got)
}

function describe(got: unknown, wanted: string): string {
  if (isThenable(got)) {
    return `got: a promise (is an "await" missing?)\nwanted: ${wanted}`.slice(0, maxDiagnostics)
  }
  return `got: ${show(got)}\nwanted: ${wanted}`.slice(0, maxDiagnostics)
}

function show(value: unknown): string {
  return inspect(value, { depth: 4, breakLength: 100, maxArrayLength: 50, maxStringLength: 4000 })
}
