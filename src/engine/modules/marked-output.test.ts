import t from 'tap'
import { endMark, MarkedOutput } from './marked-output.js'

t.test('the mark is found wherever the chunks are cut, and what stands before it is passed on', async t => {
  const mark = endMark(7)
  const all = Buffer.concat([Buffer.from('one\0two \0guestcert 8 end\0\n'), mark, Buffer.from('later')])
  for (let size = 1; size <= all.length; size += 1) {
    let passed = ''
    const output = new MarkedOutput(mark, bytes => {
      passed += bytes.toString()
    })
    let ended = false
    for (let at = 0; at < all.length && !ended; at += size) {
      ended = output.push(all.subarray(at, at + size))
    }
    t.equal(ended, true)
    t.equal(passed, 'one\0two \0guestcert 8 end\0\n', `chunks of ${size}`)
  }
})
