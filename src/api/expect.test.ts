import t from 'tap'
import { type Cause, InfraError } from '../config/errors.js'
import { createExpect, type RecordedCheck } from './expect.js'
import { isTestModule, test } from './test.js'

function fresh(): {
  expect: ReturnType<typeof createExpect>['expect']
  unfinished: () => number
  seen: RecordedCheck[]
} {
  const seen: RecordedCheck[] = []
  return { ...createExpect(check => seen.push(check)), seen }
}

t.test('a check that holds is recorded and told', async t => {
  const { expect, seen, unfinished } = fresh()
  const told = [
    expect(1).toBe(1, 'a'),
    expect({ a: [1] }).toEqual({ a: [1] }, 'b'),
    expect('x').toBeOneOf(['x', 'y'], 'c'),
    expect(1).toBeLessThan(2, 'd'),
    expect(2).toBeAtMost(2, 'e'),
    expect(2).toBeGreaterThan(1, 'f'),
    expect(2).toBeAtLeast(2, 'g'),
    expect(2).toBeWithin(2, 2, 'h'),
    expect('abc').toMatch(/b/, 'i'),
    expect('a.c').toMatch('.', 'j'),
    expect([{ a: 1 }]).toContain({ a: 1 }, 'k'),
    expect(1).not.toBe(2, 'l'),
    expect(2).not.toBeLessThan(2, 'm'),
    expect('abc').not.toMatch(/x/, 'n'),
    expect([1]).not.toContain(2, 'o'),
  ]
  t.ok(told.every(Boolean))
  t.strictSame(
    seen.map(({ state, text }) => `${state} ${text}`),
    [...'abcdefghijklmno'].map(text => `ok ${text}`),
  )
  t.equal(unfinished(), 0)
})

t.test('a check that does not hold is recorded with what was got and wanted, and does not throw', async t => {
  const { expect, seen } = fresh()
  t.equal(expect('a').toBe('b', 'the letter'), false)
  t.equal(expect(3).not.toBeWithin(1, 5, 'the number'), false)
  t.equal(expect(3_599_998, 'ms').toBeLessThan(5000, 'the offset'), false)
  t.strictSame(seen, [
    { state: 'not-ok', text: 'the letter', diagnostics: "got: 'a'\nwanted: 'b'" },
    { state: 'not-ok', text: 'the number', diagnostics: 'got: 3\nwanted: not from 1 to 5' },
    { state: 'not-ok', text: 'the offset', diagnostics: 'got: 3599998 ms\nwanted: less than 5000 ms' },
  ])
})

t.test('what has the wrong type never holds, negated or not', async t => {
  const { expect } = fresh()
  for (const wrong of [Number.NaN, undefined, null, '1', {}]) {
    for (const asked of [expect(wrong), expect(wrong).not]) {
      t.notOk(asked.toBeLessThan(5, 'number'))
      t.notOk(asked.toBeWithin(0, 5, 'number'))
      t.notOk(asked.toContain('1', 'array'))
    }
  }
  t.notOk(expect(1).toBeLessThan(Number.NaN, 'limit'))
  t.notOk(expect(1).not.toBeLessThan(Number.NaN, 'limit'))
  t.notOk(expect(undefined).toMatch(/undefined/, 'string'))
  t.notOk(expect(undefined).not.toMatch(/x/, 'string'))
})

t.test('an expression is asked afresh each time', async t => {
  const { expect } = fresh()
  const global = /a/g
  t.ok(expect('a').toMatch(global, 'first'))
  t.ok(expect('a').toMatch(global, 'second'))
})

t.test('a value of which nothing is asked is counted', async t => {
  const { expect, seen, unfinished } = fresh()
  expect(1)
  expect(2).toBe(2, 'asked')
  t.equal(unfinished(), 1)
  t.equal(seen.length, 1)
})

t.test('large values are cut', async t => {
  const { expect, seen } = fresh()
  expect('x'.repeat(1_000_000)).toBe('', 'empty')
  t.ok((seen[0]?.diagnostics?.length ?? 0) < 20_000)
})

t.test('a test module is known by what it exports', async t => {
  t.ok(isTestModule(test(async () => undefined)))
  t.notOk(isTestModule(undefined))
  t.notOk(isTestModule(async () => undefined))
  t.notOk(isTestModule({ guestcert: 'test', api: 0, body: () => undefined }))
})

t.test('matchers of the usual names hold, and do not hold, for what they say', async t => {
  const { expect, seen } = fresh()
  const held = [
    expect(2).toBeLessThanOrEqual(2, 'a'),
    expect(2).toBeGreaterThanOrEqual(2, 'b'),
    expect(1.02).toBeCloseTo(1, 0.05, 'c'),
    expect('x').toBeTruthy('d'),
    expect('').toBeFalsy('e'),
    expect(null).toBeNull('f'),
    expect(undefined).toBeUndefined('g'),
    expect(0).toBeDefined('h'),
    expect(new TypeError('x')).toBeInstanceOf(Error, 'i'),
    expect([1, 2]).toHaveLength(2, 'j'),
    expect({ a: { b: 1, c: 2 }, d: [1] }).toMatchObject({ a: { b: 1 }, d: [1] }, 'k'),
  ]
  t.ok(held.every(Boolean))
  const not = [
    expect(3).toBeLessThanOrEqual(2, 'a'),
    expect(1.1).toBeCloseTo(1, 0.05, 'c'),
    expect(Number.NaN).not.toBeCloseTo(1, 1, 'a number'),
    expect(0).toBeTruthy('d'),
    expect(undefined).toBeNull('f'),
    expect(undefined).toBeDefined('h'),
    expect({ length: 2 }).toHaveLength(2, 'j'),
    expect({ length: 2 }).not.toHaveLength(3, 'j'),
    expect({ a: { b: 1 } }).toMatchObject({ a: { b: 2 } }, 'k'),
    expect(null).not.toMatchObject({ a: 1 }, 'k'),
  ]
  t.notOk(not.some(Boolean))
  t.equal(seen.length, held.length + not.length)
})

t.test('a promise never holds, whatever is asked of it, negated or not', async t => {
  const { expect, seen } = fresh()
  const own = Object.defineProperty({}, 'then', { value: () => {} })
  for (const thenable of [Promise.resolve(1), own]) {
    for (const asked of [expect(thenable), expect(thenable).not]) {
      t.notOk(asked.toBe(1, 'is'))
      t.notOk(asked.toEqual({}, 'equals'))
      t.notOk(asked.toBeTruthy('is there'))
      t.notOk(asked.toBeUndefined('is not there'))
      t.notOk(asked.toBeDefined('is there'))
    }
  }
  t.ok(seen.every(({ state }) => state === 'not-ok'))
})

t.test('a value is looked at until the answer holds, and is one check', async t => {
  const { expect, seen, unfinished } = fresh()
  let looks = 0
  t.ok(await expect.poll(async () => ++looks, { every: 1 }).toBeAtLeast(3, 'it comes'))
  t.equal(looks, 3)
  t.ok(await expect.poll(() => looks++, { every: 1 }).not.toBeLessThan(5, 'it goes'))
  t.strictSame(seen, [
    { state: 'ok', text: 'it comes' },
    { state: 'ok', text: 'it goes' },
  ])
  t.notOk(await expect.poll(() => 'a', { within: 5, every: 1 }).toBe('b', 'never'))
  t.match(seen[2], { state: 'not-ok', text: 'never', diagnostics: "got: 'a'\nwanted: 'b'" })
  t.equal(unfinished(), 0)
  await t.rejects(expect.poll(() => Promise.reject(new RangeError('gone'))).toBe(1, 'x'), /gone/)
  expect.poll(() => 1)
  t.equal(unfinished(), 2, 'what threw and what was not asked are left open')
})

t.test(
  'a call whose failure the guest is the cause of is a failed check; any other error is none',
  async t => {
    const failing = (cause: Exclude<Cause, 'test'>): Promise<never> =>
      Promise.reject(new InfraError(`the ${cause} failed`, { cause, where: 'g1', code: 'reboot' }))
    const { expect, seen, unfinished } = fresh()
    t.equal(await expect.resolves(Promise.resolve(7), 'it is done'), 7)
    t.equal(await expect.resolves(failing('guest'), 'it is not'), undefined)
    t.strictSame(seen, [
      { state: 'ok', text: 'it is done' },
      {
        state: 'not-ok',
        text: 'it is not',
        diagnostics: "got: 'the guest failed'\nwanted: the guest to do its part",
      },
    ])
    t.equal(unfinished(), 0)
    for (const cause of ['host', 'network', 'runner', 'unknown'] as const) {
      await t.rejects(expect.resolves(failing(cause), 'x'), { message: `the ${cause} failed` })
    }
    await t.rejects(expect.resolves(Promise.reject(new TypeError('a bug')), 'x'), /a bug/)
    t.equal(seen.length, 2)
  },
)

t.test('a check without its text is named after what is wanted, and decides as any other', async t => {
  const { expect, seen } = fresh()
  const untyped = expect as (got: unknown) => Record<'toBe', (wanted: unknown, ...text: unknown[]) => boolean>
  t.ok(untyped(1).toBe(1))
  t.notOk(untyped(1).toBe(2, undefined))
  t.notOk(untyped(1).toBe(3, '  '))
  t.match(seen, [
    { state: 'ok', text: '1' },
    { state: 'not-ok', text: '2' },
    { state: 'not-ok', text: '3' },
  ])
})
