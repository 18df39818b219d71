import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import t from 'tap'
import { quote, shellLine } from './quote.js'
import { wrap } from './wrap.js'

/** Text that an argument can hold: anything but NUL and lone surrogates. */
const anyText = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom("'", '"', '\\', '!', '$', '`', '\n', ' ', '*', '~', '#', 'a', '%', '{', '^'),
    }),
  )
  .filter(text => !text.includes('\0'))

/** Many words at once through one shell: starting one for each would take long. */
const words = fc.array(anyText, { minLength: 20, maxLength: 60 })

function read(line: string): string[] {
  const { stdout } = spawnSync('/bin/sh', ['-c', line], { maxBuffer: 2 ** 24 })
  return stdout.toString('utf8').split('\0').slice(0, -1)
}

t.test('a shell reads any word back as it was', async t => {
  fc.assert(
    fc.property(words, given => {
      assert.deepEqual(read(`printf '%s\\0' ${given.map(quote).join(' ')}`), given)
    }),
    { numRuns: 15 },
  )
  t.pass('property held')
})

t.test('a line hands any words to /bin/sh', async t => {
  fc.assert(
    fc.property(words, given => {
      assert.deepEqual(read(shellLine(`printf '%s\\0' "$@"`, given)), given)
    }),
    { numRuns: 15 },
  )
  t.pass('property held')
})

t.test('nothing that csh or fish would read otherwise stands inside quotes or ends the line', async t => {
  fc.assert(
    fc.property(anyText, text => {
      const { line } = wrap(`echo ${quote(text)}`, {}, { mark: null, sudo: null })
      // Outside quotes a backslash and what it stands before go first, then whole quoted pieces.
      const quoted = [...line.matchAll(/\\.|'([^']*)'|./gs)].map(match => match[1] ?? '')
      return !line.includes('\n') && quoted.every(piece => !/[\\!]/.test(piece))
    }),
  )
  t.pass('property held')
})

t.test('plain words stay plain, and an empty one is a word', async t => {
  t.equal(quote('/usr/bin/tool-1.2'), '/usr/bin/tool-1.2')
  t.equal(quote(''), "''")
  t.equal(quote("it's"), `'it'\\''s'`)
  t.throws(() => quote('a\0b'), { name: 'InternalError' })
})

t.test('a command of several lines finds a fresh shell', async t => {
  const script =
    'echo "$#"\nset -- a b\nfor x in $(echo "1 2"); do echo "<$x>"; done\necho "$IFS" | tr " \\t\\n" "sln"'
  const { line } = wrap(script, {}, { mark: null, sudo: null })
  const { stdout } = spawnSync('/bin/sh', ['-c', line])
  t.match(stdout.toString(), /^gc[0-9a-f]{16} \d+\n0\n<1>\n<2>\nslnngc[0-9a-f]{16}e[0-9a-f]{16} 0\n$/)
})
