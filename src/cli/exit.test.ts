import t from 'tap'
import { ConfigError, InfraError, InternalError, UsageError } from '../config/errors.js'
import { outcomeOf } from './exit.js'

const place = { file: 'lab.yaml', line: 3, column: 7 }
const context = { cause: 'host', where: 'kvm-1', code: 'driver' } as const

t.test('what was foreseen is said in its own words, and ends with its own code', async t => {
  t.same(outcomeOf(new UsageError('--x is not a flag'), false), {
    code: 2,
    lines: ['guestcert: --x is not a flag'],
  })
  const mistakes = [
    { place, message: 'first' },
    { place: { ...place, line: 9 }, message: 'second' },
  ]
  t.same(outcomeOf(new ConfigError(mistakes), false), {
    code: 2,
    lines: ['lab.yaml:3:7: first', 'lab.yaml:9:7: second'],
  })
  t.same(outcomeOf(new InfraError('kvm-1 is gone', context), false), {
    code: 3,
    lines: ['guestcert: kvm-1 is gone'],
  })
  t.equal(outcomeOf(new InfraError('stopped', { ...context, code: 'cancelled' }), false).code, 130)
  t.same(outcomeOf(new InternalError('the report cannot be written'), false), {
    code: 4,
    lines: ['guestcert: the report cannot be written'],
  })
})

t.test('anything else is a bug: one line, a request, and the stack only if asked for', async t => {
  const bug = new TypeError('x is not\na function', { cause: new RangeError('deep down') })
  const brief = outcomeOf(bug, false)
  t.equal(brief.code, 4)
  t.equal(brief.lines[0], 'guestcert: this is a bug in guestcert: TypeError: x is not a function')
  t.match(brief.lines[1], /^Please report it .*--verbose/)
  t.equal(brief.lines.length, 2)
  const full = outcomeOf(bug, true).lines.join('\n')
  t.match(full, 'exit.test')
  t.match(full, 'RangeError: deep down')
  t.match(outcomeOf('a thrown text', false), { code: 4, lines: [/a thrown text/] })
})
