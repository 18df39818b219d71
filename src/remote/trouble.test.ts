import t from 'tap'
import { InfraError } from '../config/errors.js'
import { peerText, scrubbed, scrubber } from './trouble.js'

t.test('text of the other side becomes one short line without control characters', async t => {
  t.equal(peerText('a\x1b[31m\r\nb\u202e\u2028c\0'), 'a [31m b c')
  t.equal(peerText('x'.repeat(1000)).length, 201)
})

t.test('secrets are replaced wherever they stand, the longest first', async t => {
  const scrub = scrubber(['pass-1', 'pass-1-long', ''], [])
  t.equal(scrub('pass=pass-1-long, pass-1'), 'pass=[secret], [secret]')
})

t.test('a secret that its absence would tell is left where it stands', async t => {
  const said = 'root@host: password for root?'
  t.equal(scrubber(['root', 'host-1.lab'], ['root', 'host-1.lab'])(said), said)
})

t.test('an error with a secret is made anew, with what it says besides', async t => {
  const context = { cause: 'network', where: 'g', code: 'lost' } as const
  const error = new InfraError('he said s3cret', context, { cause: new Error('s3cret') })
  const clean = scrubbed(error, scrubber(['s3cret'], []))
  t.ok(clean instanceof InfraError)
  t.equal((clean as InfraError).message, 'he said [secret]')
  t.same((clean as InfraError).context, context)
  t.notMatch(`${(clean as Error).stack} ${String((clean as Error).cause)}`, 's3cret')
})
