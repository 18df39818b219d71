import fc from 'fast-check'
import t from 'tap'
import { createLineCutter, parseQmpLine } from './qmp-message.js'

t.test('messages as QEMU sends them', async t => {
  t.same(
    parseQmpLine(
      '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": ["oob"]}}',
    ),
    { kind: 'greeting', version: '7.2.22' },
  )
  t.same(parseQmpLine('{"return": {}, "id": 4}'), { kind: 'return', id: 4, value: {} })
  t.same(parseQmpLine('{"id": 5, "error": {"class": "GenericError", "desc": "no"}}'), {
    kind: 'error',
    id: 5,
    class: 'GenericError',
    description: 'no',
  })
  t.same(
    parseQmpLine(
      '{"timestamp": {"seconds": 1}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}',
    ),
    { kind: 'event', event: { name: 'SHUTDOWN', data: { guest: true, reason: 'guest-shutdown' } } },
  )
  t.same(parseQmpLine('{"event": "STOP"}'), { kind: 'event', event: { name: 'STOP', data: {} } })
})

t.test('what is not a message is none', async t => {
  for (const line of [
    '',
    'null',
    '[]',
    '3',
    '{}',
    '{"return"',
    '{"event": 3}',
    '{"error": "x"}',
    '{"id": 1}',
  ]) {
    t.equal(parseQmpLine(line), null, line)
  }
})

t.test('lines come out whole, however the stream is cut', async t => {
  fc.assert(
    fc.property(
      fc.array(fc.string().filter(text => text.trim() === text && text !== '')),
      fc.integer({ min: 1, max: 7 }),
      (texts, size) => {
        const lines = texts.map(text => text.replace(/[\r\n]/g, '_')).filter(text => text.trim() !== '')
        const bytes = Buffer.from(lines.map(line => `${line}\r\n`).join(''))
        const cut = createLineCutter()
        const found: string[] = []
        for (let at = 0; at < bytes.length; at += size) {
          found.push(...cut(bytes.subarray(at, at + size)))
        }
        t.same(
          found,
          lines.map(line => line.trim()),
        )
      },
    ),
    { numRuns: 50 },
  )
})

t.test('a line without its end is not believed, and one without end is refused', async t => {
  t.same(createLineCutter()(Buffer.from('{"return": {}, "id": 1}')), [])
  const cut = createLineCutter()
  t.throws(() => {
    for (let part = 0; part < 20; part += 1) {
      cut(Buffer.alloc(1024 * 1024, 120))
    }
  }, /more than \d+ bytes/)
})
