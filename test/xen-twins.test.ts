import t from 'tap'
import { differingXlLines } from './xen-twins.js'

const said = (stdout: string, stderr = '', code = 0) => ({ stdout, stderr, code })
const row = (name: string, id: string, memory: string, flags: string, time: string): string =>
  `${name.padEnd(40)} ${id.padStart(5)} ${memory.padStart(5)}     1     ${flags}  ${time.padStart(6)}\n`

t.test('what cannot be the same on a host and on its copy does not count', async t => {
  const pairs = [
    [row('vm', '1', '256', '-b----', '0.7'), row('vm', '13', '256', 'r-----', '102.3')],
    ['cpu_mhz                : 2596.148\n', 'cpu_mhz                : 2596.000\n'],
    [
      '51712 0   1      4     8      8        /local/domain/0/backend/vbd/1/51712\n',
      '51712 0   17     4     11     562      /local/domain/0/backend/vbd/17/51712\n',
    ],
    [
      'vm                                   1     0    0   -b-       0.4  all / all\n',
      'vm                                  11     0    0   ---      12.0  all / all\n',
    ],
  ] as const
  for (const [one, other] of pairs) {
    t.same(differingXlLines('x', said(one), said(other)), [])
  }
  const progress = 'xc: progress: Frames: 4096/65536    6%\n'
  t.same(differingXlLines('x', said('', `${progress}end\n`), said('', 'end\n')), [])
  const old = 'libxl: error: libxl_domain.c:81:libxl__domain_rename: Domain 2:no\n'
  t.same(differingXlLines('x', said('', old), said('', old.replace('Domain 2', 'Domain 9'))), [])
})

t.test('all else does', async t => {
  const running = row('vm', '1', '256', '-b----', '0.7')
  const others = [
    row('vm', '1', '256', '--p---', '0.7'),
    row('vm', '1', '255', '-b----', '0.7'),
    row('mv', '1', '256', '-b----', '0.7'),
    `${running}${running}`,
    '',
  ]
  for (const other of others) {
    t.not(differingXlLines('x', said(running), said(other)).length, 0, other)
  }
  t.not(differingXlLines('x', said('', '', 1), said('', '', 0)).length, 0)
  t.not(differingXlLines('x', said('a\n'), said('', 'a\n')).length, 0)
  t.not(differingXlLines('x', said('a\n\n'), said('a\n')).length, 0)
  const state = (number: number): string => `51712 0   1      ${number}     8      8        /local/x\n`
  t.not(differingXlLines('x', said(state(4)), said(state(1))).length, 0)
  const last = 'xc: progress: Frames: 65536/65536  100%\n'
  t.not(differingXlLines('x', said('', last), said('')).length, 0)
  const uptime = 'xen_version            : 4.17.7\n'
  t.not(differingXlLines('x', said(uptime), said(uptime.replace('.7', '.6'))).length, 0)
})

t.test('two that never said how they ended are no twins', async t => {
  const lost = { code: null, stdout: '', stderr: '' }
  t.same(differingXlLines('x', lost, lost), ['x: the original gave no exit status'])
})
