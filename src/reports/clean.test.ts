import fc from 'fast-check'
import t from 'tap'
import { cleanTerminal, cleanTerminalLine, cleanXml, cleanXmlLine, tailOf } from './clean.js'

const esc = '\x1b'

t.test('colours, titles, links and cursor movements leave only their text', async t => {
  const cases: readonly (readonly [raw: string, clean: string])[] = [
    [`${esc}[1;31mred${esc}[0m`, 'red'],
    [`${esc}[2J${esc}[1;1Hhome`, 'home'],
    [`${esc}]0;a title\x07after`, 'after'],
    [`${esc}]8;;http://x${esc}\\link${esc}]8;;${esc}\\`, 'link'],
    [`${esc}Pdevice${esc}\\after`, 'after'],
    [`${esc}c reset`, ' reset'],
    ['\x9b31mred', 'red'],
    ['one\r\ntwo\rthree', 'one\ntwo\nthree'],
  ]
  for (const [raw, clean] of cases) {
    t.equal(cleanXml(raw), clean)
    t.equal(cleanTerminal(raw), clean)
  }
})

t.test('a string sequence without an end swallows no later line', async t => {
  t.match(cleanTerminal(`${esc}]0;never ended\nnot ok 1`), /not ok 1$/)
})

t.test('nothing that a terminal acts upon is left, whatever came', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const clean = cleanTerminal(text)
      return !/[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/u.test(clean)
    }),
    { numRuns: 500 },
  )
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => !cleanTerminalLine(text).includes('\n')))
  t.pass('no counterexample')
})

t.test('lines for attributes have no breaks, no tabs and a length', async t => {
  t.equal(cleanXmlLine('  a\n\tb\x85c  ', 100), 'a b c')
  t.equal(cleanXmlLine('abcdef', 4), 'abc…')
  t.equal(cleanXmlLine('ab😀def', 4), 'ab…', 'no half of a character is left')
  t.equal(cleanXmlLine('\ud800', 10), '\ufffd')
})

t.test('a guest cannot attach files of the machine that reads its report', async t => {
  t.notMatch(cleanXml('[[ATTACHMENT|/etc/passwd]]'), /\[\[attachment/i)
  t.notMatch(cleanXmlLine('[[ATTACHMENT|/etc/passwd]]', 100), /\[\[attachment/i)
  t.notMatch(cleanXml(`[${esc}[0m[attachment|/etc/passwd]]`), /\[\[attachment/i)
})

t.test('a tail starts at a line, never within a character, and tells what was cut', async t => {
  t.same(tailOf('short', 100), { text: 'short', cutBytes: 0 })
  t.same(tailOf('first line\nsecond line', 14), { text: 'second line', cutBytes: 11 })
  t.same(tailOf('€€€€', 5), { text: '€', cutBytes: 9 })
  t.same(tailOf('one\nlong\n', 6), { text: 'long\n', cutBytes: 4 })
})
