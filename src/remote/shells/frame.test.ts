import fc from 'fast-check'
import t from 'tap'
import {
  type BeginLine,
  beginWord,
  endWord,
  type FrameSeen,
  type FrameWords,
  frame,
  frameWords,
} from './frame.js'

interface Taken extends FrameSeen {
  readonly output: string
  readonly pids: (number | null)[]
}

function take(words: FrameWords, chunks: readonly Buffer[]): Taken {
  const pids: (number | null)[] = []
  const filter = frame(words, (_index, pid) => pids.push(pid))
  const output = Buffer.concat([...chunks.map(chunk => filter.push(chunk)), filter.end()])
  return { output: output.toString('latin1'), pids, ...filter.seen() }
}

function takeText(words: FrameWords, text: string): Taken {
  return take(words, [Buffer.from(text, 'latin1')])
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map(place => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length))
}

const places = fc.array(fc.nat(), { maxLength: 12 })
const begins: Record<string, readonly BeginLine[]> = {
  pid: ['pid'],
  sudo: ['pid', 'sudo'],
  plain: ['plain'],
}

for (const [name, lines] of Object.entries(begins)) {
  const words = frameWords(lines)
  /** Bytes, and pieces of our own words among them: whatever a command may print but a whole line of ours. */
  const latin1 = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes).toString('latin1')),
    fc
      .array(
        fc.constantFrom(
          'g',
          'gc',
          words.nonce.slice(0, 9),
          `echo ${words.nonce} $$;`,
          endWord(words),
          ' 1',
          'x\n',
        ),
        { maxLength: 6 },
      )
      .map(parts => `${parts.join('')}.`),
  )
  for (const lineEnd of ['\n', '\r\n']) {
    t.test(`our lines go and every other byte stays, however the chunks fall: ${name}`, async t => {
      fc.assert(
        fc.property(latin1, latin1, fc.nat(255), places, (noise, output, status, at) => {
          const first = lines.map(line => {
            return `${noise}${beginWord(words, line)}${line === 'pid' ? ' 77' : ''}${lineEnd}`
          })
          const text = `${first.join('')}${output}${endWord(words)} ${status}${lineEnd}`
          const taken = take(words, cut(Buffer.from(text, 'latin1'), at))
          t.match(taken, { begun: lines.length, output, status, doubt: null })
          t.equal(taken.pids[0], lines[0] === 'pid' ? 77 : null)
        }),
        { numRuns: 150 },
      )
    })
  }
}

const words = frameWords(['pid'])
const other = frameWords(['pid'])
const first = `${words.nonce} 4242\n`
const last = `${endWord(words)} 0\n`

t.test('words are new for each command, and the last is not to be told from the first', async t => {
  t.not(words.nonce, other.nonce)
  t.not(words.end, other.end)
  t.match(words.nonce, /^gc[0-9a-f]{16}$/)
  t.match(words.end, /^e[0-9a-f]{16}$/)
})

t.test('noise before the first line is harmless, whatever its length', async t => {
  const filter = frame(words, () => {})
  for (let count = 0; count < 500; count += 1) {
    t.equal(filter.push(Buffer.alloc(10_000, 'motd ')).length, 0)
  }
  t.equal(filter.push(Buffer.from(`${first}mine${last}`)).toString(), 'mine')
  t.match(filter.seen(), { begun: 1, status: 0, doubt: null })
})

for (const [what, text] of [
  ['another command’s lines', `${other.nonce} 4242\nok 1\n${endWord(other)} 0\n`],
  ['the words without a pid', `${words.nonce} $$\nok 1\n`],
  ['half a line', `${words.nonce} 42`],
  ['the end alone', last],
  ['no line of ours', 'This account is not available\n'],
] as const) {
  t.test(`nothing begins with ${what}, and nothing of it is output`, async t => {
    const taken = takeText(words, text)
    t.match(taken, { begun: 0, output: '' })
    t.equal(taken.noise.includes(text.slice(0, 9)) || text === last, true, 'what came is kept to be shown')
  })
}

for (const [what, text, doubt] of [
  ['two first lines', `${first}${first}${last}`, /its first line came twice/],
  ['two last lines', `${first}${endWord(words)} 1\n${last}`, /its last line came twice, with 1 and 0/],
  ['output behind the last line', `${first}a\n${last}b`, /output came behind its last line \(1 bytes\)/],
  ['a last line before the first', `${last}${first}`, /its last line came before its first/],
] as const) {
  t.test(`${what} cannot be believed`, async t => {
    t.match(takeText(words, text), { begun: 1, doubt })
  })
}

for (const [what, text] of [
  ['no last line', `${first}ok 1\n`],
  ['half a last line', `${first}ok 1\n${endWord(words)} 0`],
  ['the last line of another command', `${first}ok 1\n${endWord(other)} 0\n`],
  ['a last line without a status', `${first}ok 1\n${endWord(words)} $gc_s\n`],
] as const) {
  t.test(`${what} is not an end`, async t => {
    const taken = takeText(words, text)
    t.equal(taken.status, null)
    t.equal(taken.output, text.slice(first.length), 'and output like any other')
  })
}

t.test('a line of the command is handed on at once, with its line end', async t => {
  const filter = frame(words, () => {})
  filter.push(Buffer.from(first))
  for (const line of ['gc hello\r\n', 'a line\n', 'begun']) {
    t.equal(filter.push(Buffer.from(line)).toString(), line)
  }
  t.equal(filter.push(Buffer.from('this may be the start of g')).toString(), 'this may be the start of ')
  t.equal(filter.push(Buffer.from('o')).toString(), 'go')
})
