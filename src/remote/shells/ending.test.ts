import t from 'tap'
import { type EndingSeen, endingOf } from './ending.js'

const code = (value: number) => ({ kind: 'code', code: value }) as const
const signal = { kind: 'signal', signal: 'SIGSEGV' } as const
const base: EndingSeen = { ends: [code(0)], status: 0, doubt: null, isWide: false }

for (const [what, seen, wanted] of [
  ['a status that both tell', base, { kind: 'code', code: 0 }],
  ['another that both tell', { ...base, ends: [code(7)], status: 7 }, { kind: 'code', code: 7 }],
  ['no status', { ...base, ends: [] }, { kind: 'lost' }],
  [
    'a status and no last line',
    { ...base, status: null },
    { kind: 'unproven', why: /last line did not come/ },
  ],
  ['a failed status and no last line', { ...base, ends: [code(1)], status: null }, { kind: 'unproven' }],
  ['a last line that differs', { ...base, status: 1 }, { why: /status 0, but its last line says 1/ }],
  ['a server that says 1', { ...base, ends: [code(1)] }, { why: /status 1, but its last line says 0/ }],
  ['two statuses', { ...base, ends: [code(0), code(0)] }, { why: /status 0, then status 0/ }],
  ['a status and a signal', { ...base, ends: [code(0), signal] }, { why: /status 0, then signal SIGSEGV/ }],
  ['a signal and a status', { ...base, ends: [signal, code(0)] }, { why: /signal SIGSEGV, then status 0/ }],
  ['a signal', { ...base, ends: [signal], status: null }, signal],
  ['a signal after the last line', { ...base, ends: [signal] }, { why: /signal SIGSEGV, but its last line/ }],
  ['lines in doubt', { ...base, doubt: 'its first line came twice' }, { why: /first line came twice/ }],
  ['a status of more than 8 bits', { ...base, ends: [code(0)], status: 256 }, { kind: 'unproven' }],
  ['the same where 8 come', { ...base, ends: [code(0)], status: 256, isWide: true }, { code: 256 }],
  ['a negative one', { ...base, ends: [code(0xffffffff)], status: -1, isWide: true }, { code: 0xffffffff }],
] as const) {
  t.test(what, async t => {
    t.match(endingOf(seen), wanted)
    t.equal(endingOf(seen).kind, 'kind' in wanted ? wanted.kind : endingOf(seen).kind)
  })
}
