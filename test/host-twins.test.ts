import t from 'tap'
import { differingLines } from './host-twins.js'

const said = (stdout: string, stderr = '', code = 0) => ({ stdout, stderr, code })

t.test('what is another at every moment does not count', async t => {
  const one = 'Id:             7\nCPU time:       0.3s\nCPU frequency:  2445 MHz\n'
  const other = 'Id:             1\nCPU time:       12.0s\nCPU frequency:  2000 MHz\n'
  t.same(differingLines('x', said(one), said(other), 'vm'), [])
})

t.test('a line, a blank, an exit status, a stream that differs is told', async t => {
  t.same(differingLines('x', said('a\nb\n'), said('a\nc\n'), 'vm'), ['x, line 2: original "b", copy "c"'])
  t.same(differingLines('x', said('a  b\n'), said('a b\n'), 'vm').length, 1)
  t.same(differingLines('x', said('', '', 1), said('', '', 0), 'vm').length, 1)
  t.ok(differingLines('x', said('a\n'), said('', 'a\n'), 'vm').length > 0)
  t.ok(differingLines('x', said('a\n\n'), said('a\n'), 'vm').length > 0)
})

t.test("a list's machines of others do not count; ours does", async t => {
  const alone = ' Id   Name   State\n-----------------------\n -    vm     shut off\n\n'
  const shared =
    ' Id   Name       State\n---------------------------\n -    other-vms  shut off\n -    vm         shut off\n\n'
  t.same(differingLines('x', said(alone), said(alone), 'vm'), [])
  t.ok(differingLines('x', said(alone), said(alone.replace('shut off', 'running')), 'vm').length > 0)
  t.same(differingLines('x', said(shared), said(alone), 'vm'), [])
  const paused = alone.replace('shut off', 'paused')
  t.ok(differingLines('x', said(shared), said(paused), 'vm').length > 0)
  const without = alone.replace(/ - .*\n/, '')
  t.ok(differingLines('x', said(shared), said(without), 'vm').length > 0)
})

t.test('two that never said how they ended are no twins', async t => {
  const lost = { code: null, stdout: '', stderr: '' }
  t.same(differingLines('x', lost, lost, 'vm'), ['x: the original gave no exit status'])
})
