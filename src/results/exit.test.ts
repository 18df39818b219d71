import t from 'tap'
import type { Exit } from '../journal/events.js'
import { foldScript } from './index.js'

const rows: readonly [exit: Exit, truncated: boolean, verdict: string, cause: string | undefined][] = [
  [{ kind: 'code', code: 0 }, false, 'pass', undefined],
  [{ kind: 'code', code: 0 }, true, 'error', 'unknown'],
  [{ kind: 'code', code: 1 }, false, 'fail', 'guest'],
  [{ kind: 'code', code: 77 }, false, 'fail', 'guest'],
  [{ kind: 'code', code: 255 }, true, 'fail', 'guest'],
  [{ kind: 'code', code: 126 }, false, 'error', 'test'],
  [{ kind: 'code', code: 127 }, false, 'error', 'test'],
  [{ kind: 'signal', signal: 'KILL' }, false, 'error', 'unknown'],
  [{ kind: 'limit', limit: 'test', limitMs: 1 }, false, 'error', 'unknown'],
  [{ kind: 'lost' }, false, 'error', 'unknown'],
]

for (const [exit, truncated, verdict, cause] of rows) {
  t.test(`${JSON.stringify(exit)}${truncated ? ', cut' : ''}: ${verdict}`, async t => {
    const folded = foldScript('exit', { stdout: 'not ok 1 - it is no TAP\n', exit, truncated })
    t.equal(folded.verdict, verdict)
    t.equal(folded.cause, cause)
    t.equal(folded.counts.ok, verdict === 'pass' ? 1 : 0)
    t.equal(folded.reason === '', verdict === 'pass')
  })
}
