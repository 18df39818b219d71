import fc from 'fast-check'
import t from 'tap'
import { preamble } from './preamble.js'

interface Taken {
  readonly output: string
  readonly lines: string[]
  readonly isComplete: boolean
}

function take(words: readonly string[], chunks: readonly Buffer[]): Taken {
  const lines: string[] = []
  const filter = preamble(words, (_index, rest) => lines.push(rest))
  const output = Buffer.concat([...chunks.map(chunk => filter.push(chunk)), filter.end()])
  return { output: output.toString('latin1'), lines, isComplete: filter.isComplete }
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map(place => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length))
}

const latin1 = fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes).toString('latin1'))

t.test('our line goes and every other byte stays, however the chunks fall', async t => {
  fc.assert(
    fc.property(latin1, latin1, fc.array(fc.nat(), { maxLength: 12 }), (noise, output, places) => {
      const bytes = Buffer.from(`${noise}gcaaaa 123\n${output}`, 'latin1')
      const taken = take(['gcaaaa'], cut(bytes, places))
      return taken.isComplete && taken.output === output && taken.lines[0] === '123'
    }),
  )
  t.pass('property held')
})

t.test('two lines, one after the other, with noise before each', async t => {
  fc.assert(
    fc.property(latin1, fc.array(fc.nat(), { maxLength: 12 }), (output, places) => {
      const bytes = Buffer.from(`motd\ngcaaaa 77\nlecture\ngcaaaas\n${output}`, 'latin1')
      const taken = take(['gcaaaa', 'gcaaaas'], cut(bytes, places))
      return taken.isComplete && taken.output === output && taken.lines.join() === '77,'
    }),
  )
  t.pass('property held')
})

t.test('when our line never comes, what came is let through at the end', async t => {
  const taken = take(['gcaaaa'], [Buffer.from('This account is '), Buffer.from('not available\n')])
  t.equal(taken.output, 'This account is not available\n')
  t.notOk(taken.isComplete)
})

t.test('half a line of ours is none', async t => {
  const taken = take(['gcaaaa'], [Buffer.from('gcaaaa 12')])
  t.notOk(taken.isComplete)
  t.same(taken.lines, [])
})

t.test('a flood without our line is not held in memory', async t => {
  const filter = preamble(['gcaaaa'], () => {})
  let passed = 0
  for (let count = 0; count < 200; count += 1) {
    passed += filter.push(Buffer.alloc(1024, 'x')).length
  }
  passed += filter.end().length
  t.equal(passed, 200 * 1024)
})
