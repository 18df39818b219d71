import t from 'tap'
import { parseUsernet } from './launch.js'

t.test('the forwarded port in the monitor’s table', async t => {
  const table = [
    'Hub -1 (net0):',
    '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
    '  TCP[ESTABLISHED]   23       127.0.0.1 40001       10.0.2.15    22     0     0',
    '  TCP[HOST_FORWARD]  12       127.0.0.1 37123       10.0.2.15    22     0     0',
    '',
  ].join('\r\n')
  t.equal(parseUsernet(table), 37123)
  t.equal(parseUsernet(''), null)
  t.equal(
    parseUsernet(table.replace('127.0.0.1 37123', '        * 37123')),
    null,
    'only a loopback port is ours',
  )
  t.equal(parseUsernet(table.replace('37123', '0')), null)
})
