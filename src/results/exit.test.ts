import t from 'tap'
import type { Exit } from '../journal/events.js'
import { foldScript } from './index.js'

const rows: readonly [exit: Exit, truncated: boolean, verdict: string, cause: string | undefined][] = [
  [{ kind: 'code', code: 0 }, false, 'pass', undefined],
  [{ kind: 'code', code: 0 }, true, 'error', 'unknown'],
  [{ kind: 'code', code: 1 }, false, 'fail', 'guest'],
  [{ kind: 'code', code: 77 }, false, 'fail', 'guest'],
  [{ kind: 'code', code: 1 }, true, 'fail', 'guest'],
  [{ kind: 'code', code: 128 }, false, 'fail', 'guest'],
  [{ kind: 'code', code: 129 }, false, 'error', 'unknown'],
  [{ kind: 'code', code: 137 }, false, 'error', 'unknown'],
  [{ kind: 'code', code: 255 }, true, 'error', 'unknown'],
  [{ kind: 'code', code: 126 }, false, 'error', 'test'],
  [{ kind: 'code', code: 127 }, false, 'error', 'test'],
  [{ kind: 'signal', signal: 'KILL' }, false, 'error', 'unknown'],
  [{ kind: 'limit', limit: 'test', limitMs: 1 }, false, 'error', 'unknown'],
  [{ kind: 'lost' }, false, 'error', 'unknown'],
]

for (const [exit, truncated, verdict, cause] of rows) {
  t.test(`${JSON.stringify(exit)}${truncated ? ', cut' : ''}: ${verdict}`, async t => {
    const folded = foldScript('exit', { stdout: 'not ok 1 - it is not a TAP\n', exit, truncated })
    t.equal(folded.verdict, verdict)
    t.equal(folded.cause, cause)
    t.equal(folded.counts.ok, verdict === 'pass' ? 1 : 0)
    t.equal(folded.reason === '', verdict === 'pass')
  })
}

t.test('output that is still held makes status 0 an error, and leaves a failure a failure', async t => {
  const held = { stdout: '', truncated: false, undrained: true }
  t.match(foldScript('exit', { ...held, exit: { kind: 'code', code: 0 } }), {
    verdict: 'error',
    cause: 'test',
  })
  t.match(foldScript('exit', { ...held, exit: { kind: 'code', code: 3 } }), {
    verdict: 'fail',
    cause: 'guest',
  })
})

t.test('a status above 128 says which signal it may be', async t => {
  const of = (code: number): string =>
    foldScript('exit', { stdout: '', truncated: false, exit: { kind: 'code', code } }).reason
  t.equal(of(137), 'the exit status was 137: signal KILL or exit 137')
  t.equal(of(255), 'the exit status was 255: signal 127 or exit 255')
})

t.test('declared codes are what they were declared as, and nothing else becomes one', async t => {
  const codes = { skip: [4, 32, 77], error: [2, 200] }
  const of = (code: number, more: object = {}): unknown[] => {
    const ended = { stdout: 'text\n', truncated: false, exit: { kind: 'code', code }, ...more } as const
    const { verdict, cause, counts } = foldScript('exit', ended, codes)
    return [verdict, cause, counts.ok, counts.notOk]
  }
  for (const code of codes.skip) t.same(of(code), ['skip', 'guest', 0, 0], `${code}`)
  for (const code of codes.error) t.same(of(code), ['error', 'unknown', 0, 0], `${code}`)
  t.same(of(0), ['pass', undefined, 1, 0])
  t.same(of(1), ['fail', 'guest', 0, 1])
  t.same(of(126), ['error', 'test', 0, 0])
  t.same(of(4, { truncated: true }), ['error', 'unknown', 0, 0], 'a skip whose output is cut')
  t.same(of(4, { undrained: true }), ['error', 'test', 0, 0], 'a skip whose output is held')
  t.same(of(4, { contradiction: 'two statuses' }), ['error', 'unknown', 0, 0], 'a skip that is contradicted')
  t.same(of(0, { contradiction: 'two statuses' }), ['error', 'unknown', 0, 0], 'a 0 that is contradicted')
})
