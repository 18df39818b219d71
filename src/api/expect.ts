import { setTimeout as wait } from 'node:timers/promises'
import { inspect, isDeepStrictEqual } from 'node:util'
import { InfraError } from '../config/errors.js'
import { type Duration, durationMs } from './duration.js'

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
  /** As {@link toBeAtMost}. */
  toBeLessThanOrEqual(limit: number, text: string): boolean
  /** As {@link toBeAtLeast}. */
  toBeGreaterThanOrEqual(limit: number, text: string): boolean
  /** A number that is off by no more than `most`. */
  toBeCloseTo(wanted: number, most: number, text: string): boolean
  toBeTruthy(text: string): boolean
  toBeFalsy(text: string): boolean
  toBeNull(text: string): boolean
  toBeUndefined(text: string): boolean
  toBeDefined(text: string): boolean
  toBeInstanceOf(wanted: abstract new (...args: never[]) => unknown, text: string): boolean
  /** A string or an array of this length. */
  toHaveLength(length: number, text: string): boolean
  /** An object that has these properties among others, each with the same structure, as deep as they go. */
  toMatchObject(wanted: object, text: string): boolean
  /** The next question, negated. */
  readonly not: Omit<Expectation, 'not'>
}

/** How long to look, and how often. */
export interface PollOptions {
  /** 30 s if absent. */
  readonly within?: Duration
  /** From the end of one look to the beginning of the next; 500 ms if absent. */
  readonly every?: Duration
}

type Later<Questions> = {
  readonly [K in keyof Questions]: Questions[K] extends (...args: infer A) => boolean
    ? (...args: A) => Promise<boolean>
    : never
}

/** The same questions of a value that is looked at again and again: each must be awaited. */
export type PollExpectation = Later<Omit<Expectation, 'not'>> & {
  readonly not: Later<Omit<Expectation, 'not'>>
}

/** Begins a check of a value. */
export interface Expect {
  /** `unit` is that of a number, for people: `expect(ms, 'ms')`. */
  (got: unknown, unit?: string): Expectation
  /**
   * Looks until the answer to the question holds, or the time is over, and records one check of the last look. What
   * `look` throws ends the test, as anywhere else.
   */
  poll(look: () => unknown, options?: PollOptions): PollExpectation
  /**
   * Awaits a call to the guest or host, and records one check: whether the guest did its part. Gives what the call gave;
   * `undefined` when the guest is the cause of its failure. Any other error ends the test, as anywhere else.
   */
  resolves<T>(call: Promise<T>, text: string): Promise<T | undefined>
}

/** An `expect`, and how many of its calls asked nothing of their value. */
export interface Recorder {
  readonly expect: Expect
  /** Values that were given to `expect` without a question: such a test checks less than it says. */
  unfinished(): number
}

const maxDiagnostics = 16 * 1024

const defaultWithin = '30s'
const defaultEvery = '500ms'

/** Makes an `expect` that hands every check to `record`. */
export function createExpect(record: (check: RecordedCheck) => void): Recorder {
  let open = 0
  /** Takes one value; what is returned notes the answers to questions about it. */
  const begin = (unit?: string): ((got: unknown) => Note) => {
    open++
    let isOpen = true
    return got => (isSo, wanted, text) => {
      if (isOpen) open--
      isOpen = false
      // Modules are not type-checked: a check without its text is named after what is wanted.
      const name = (typeof text === 'string' ? text.trim() : '') || wanted
      // Whatever was asked, it was not asked of the value that is meant.
      const held = isSo && !isThenable(got)
      if (held) record({ state: 'ok', text: name })
      else record({ state: 'not-ok', text: name, diagnostics: describe(got, wanted, unit) })
      return held
    }
  }
  const expect = (got: unknown, unit?: string): Expectation => {
    const note = begin(unit)(got)
    return { ...questions(got, note, true), not: questions(got, note, false) }
  }
  const poll = (look: () => unknown, options: PollOptions = {}): PollExpectation => {
    const note = begin()
    return { ...polled(look, options, note, true), not: polled(look, options, note, false) }
  }
  const resolves = async <T>(call: Promise<T>, text: string): Promise<T | undefined> => {
    const note = begin()
    try {
      const value = await call
      note(true)(true, wantedOfCall, text)
      return value
    } catch (error) {
      if (!(error instanceof InfraError && error.context.cause === 'guest')) throw error
      note(error.message)(false, wantedOfCall, text)
      return undefined
    }
  }
  return { unfinished: () => open, expect: Object.assign(expect, { poll, resolves }) }
}

const wantedOfCall = 'the guest to do its part'

type Questions = Omit<Expectation, 'not'>

/** Every question of {@link questions}, asked of look after look. */
function polled(
  look: () => unknown,
  { within = defaultWithin, every = defaultEvery }: PollOptions,
  noteOf: (got: unknown) => Note,
  holds: boolean,
): Later<Questions> {
  const [withinMs, everyMs] = [durationMs(within), durationMs(every)]
  const names = Object.keys(questions(undefined, () => false, holds))
  const asked = names.map(name => [
    name,
    async (...args: unknown[]): Promise<boolean> => {
      const startedAt = performance.now()
      for (;;) {
        const got = await look()
        const isLast = performance.now() - startedAt >= withinMs
        const note: Note = (isSo, wanted, text) => (isSo || isLast ? noteOf(got)(isSo, wanted, text) : false)
        const question = questions(got, note, holds)[name as keyof Questions] as (
          ...given: unknown[]
        ) => boolean
        const held = question(...args)
        if (held || isLast) {
          return held
        }
        await wait(everyMs)
      }
    },
  ])
  return Object.fromEntries(asked) as Later<Questions>
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
    toBeLessThanOrEqual: (limit, text) => number([limit], value => value <= limit, `at most ${limit}`, text),
    toBeGreaterThanOrEqual: (limit, text) =>
      number([limit], value => value >= limit, `at least ${limit}`, text),
    toBeCloseTo: (wanted, most, text) =>
      number([wanted, most], value => Math.abs(value - wanted) <= most, `${wanted} ± ${most}`, text),
    toBeTruthy: text => say(Boolean(got), 'truthy', text),
    toBeFalsy: text => say(!got, 'falsy', text),
    toBeNull: text => say(got === null, 'null', text),
    toBeUndefined: text => say(got === undefined, 'undefined', text),
    toBeDefined: text => say(got !== undefined, 'defined', text),
    toBeInstanceOf: (wanted, text) => say(got instanceof wanted, `an instance of ${wanted.name}`, text),
    toHaveLength: (length, text) =>
      typeof got === 'string' || Array.isArray(got)
        ? say(got.length === length, `of length ${length}`, text)
        : note(false, `a string or an array, ${not}of length ${length}`, text),
    toMatchObject: (wanted, text) =>
      typeof got === 'object' && got !== null
        ? say(hasAll(got, wanted), `with ${show(wanted)} in it`, text)
        : note(false, `an object, ${not}with ${show(wanted)} in it`, text),
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

/** Whether all that is wanted is in a value: of plain objects their properties, of anything else the same structure. */
function hasAll(got: unknown, wanted: unknown): boolean {
  const isPlain = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  if (!isPlain(wanted)) {
    return isDeepStrictEqual(got, wanted)
  }
  return (
    typeof got === 'object' &&
    got !== null &&
    Object.entries(wanted).every(([key, value]) => key in got && hasAll(got[key as keyof typeof got], value))
  )
}

/** Without the state that a global or sticky expression keeps between two uses. */
function finds(wanted: RegExp | string, got: string): boolean {
  if (typeof wanted === 'string') return got.includes(wanted)
  return new RegExp(wanted.source, wanted.flags.replace(/[gy]/g, '')).test(got)
}

function describe(got: unknown, wanted: string, unit?: string): string {
  if (isThenable(got)) {
    return `got: a promise (is an "await" missing?)\nwanted: ${wanted}`.slice(0, maxDiagnostics)
  }
  // Modules are not type-checked.
  const suffix = typeof got === 'number' && typeof unit === 'string' ? ` ${unit}` : ''
  return `got: ${show(got)}${suffix}\nwanted: ${wanted}${suffix}`.slice(0, maxDiagnostics)
}

function show(value: unknown): string {
  return inspect(value, { depth: 4, breakLength: 100, maxArrayLength: 50, maxStringLength: 4000 })
}
