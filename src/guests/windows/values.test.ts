import fc from 'fast-check'
import t from 'tap'
import { leftStatus } from '../../remote/shells/windows/powershell-text.js'
import { parseWmic, parseWmicArray, wmicQuery } from '../../remote/shells/windows/wmic.js'
import { parseEvents } from './event-xml.js'
import { xpathOf } from './events.js'
import { frameScript, judgeScript } from './powershell.js'
import { parseReg } from './registry.js'
import { formatDmtf, parseDmtf, wmiValue } from './values.js'
import { isBefore } from './wmi.js'

t.test('times of WMI, with their offset', async t => {
  t.equal(parseDmtf('20261123021500.123000+060')?.toISOString(), '2026-11-23T01:15:00.123Z')
  t.equal(parseDmtf('20090401120000.000000-420')?.toISOString(), '2009-04-01T19:00:00.000Z')
  t.equal(parseDmtf('20260101000000.000000+***'), null, 'what is not known is not a time')
  t.equal(parseDmtf('00000001020304.000000:000'), null, 'an interval is none')
  t.equal(parseDmtf('20261323021500.123000+060'), null)
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1980-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
      date => {
        t.equal(parseDmtf(formatDmtf(date))?.getTime(), date.getTime())
      },
    ),
  )
})

t.test('values have the types of their class, or are refused', async t => {
  t.equal(wmiValue('18446744073709551615', 'uint64'), 18446744073709551615n)
  t.equal(wmiValue('4294967295', 'uint32'), 4294967295)
  t.equal(wmiValue('-60', 'sint16'), -60)
  t.equal(wmiValue('TRUE', 'boolean'), true)
  t.equal(wmiValue('False', 'boolean'), false)
  t.equal(wmiValue('', 'string'), null)
  t.equal(wmiValue(null, 'uint32'), null)
  t.strictSame(wmiValue('one', 'string[]'), ['one'], 'an array of one is an array')
  t.strictSame(wmiValue(['1', '2'], 'uint16[]'), [1, 2])
  for (const [text, type] of [
    ['x', 'uint32'],
    ['4294967296', 'uint32'],
    ['-1', 'uint16'],
    ['yes', 'boolean'],
    ['2026', 'datetime'],
  ] as const) {
    t.throws(() => wmiValue(text, type), new RegExp(`no ${type}`), `${text} as ${type}`)
  }
  t.throws(() => wmiValue(['a'], 'string'), /an array/)
})

const ran = (stdout: string, stderr = '', code: number | null = 0): Parameters<typeof wmicQuery>[0] => {
  const output = (text: string) => ({
    text,
    bytes: Buffer.from(text),
    totalBytes: text.length,
    truncated: false,
  })
  const exit = code === null ? ({ kind: 'lost' } as const) : ({ kind: 'code', code } as const)
  return { exit, stdout: output(stdout), stderr: output(stderr), durationMs: 1, undrained: false }
}

t.test('wmic is read', async t => {
  const text = '\n\nDeviceID=PCI\\VEN_1AF4&amp;DEV_1000\nName=Card\n\n\nDeviceID=ROOT\\X\nName=\n\n\n'
  t.strictSame(parseWmic(text, ['Name', 'DeviceID']), [
    { DeviceID: 'PCI\\VEN_1AF4&DEV_1000', Name: 'Card' },
    { DeviceID: 'ROOT\\X', Name: '' },
  ])
  t.strictSame(
    parseWmic('\nA=one\ntwo = 2\nB=3\n\n', ['A', 'B']),
    [{ A: 'one\ntwo = 2', B: '3' }],
    'a value of two lines',
  )
  t.throws(() => parseWmic('A=1\n', ['A', 'B']), /without all/)
  t.strictSame(parseWmicArray('{"a, b","c"}'), ['a, b', 'c'])
  t.strictSame(parseWmicArray('{1,2}'), ['1', '2'])
  t.equal(parseWmicArray('plain'), null)
})

t.test('an empty answer of wmic is told from a failed one', async t => {
  t.strictSame(wmicQuery(ran('\n', 'No Instance(s) Available.\n'), ['A']), [])
  t.strictSame(wmicQuery(ran('\n', 'Keine Instanzen verfügbar.\n'), ['A']), [], 'in any language')
  t.strictSame(wmicQuery(ran('\n', 'AutoRun: hello\nNo Instance(s) Available.\n'), ['A']), [], 'behind noise')
  t.throws(() => wmicQuery(ran('', ''), ['A']), /neither objects nor/)
  t.throws(() => wmicQuery(ran('what is this', ''), ['A']), /neither objects nor/)
  t.throws(
    () => wmicQuery(ran('', 'AutoRun\nKnoten - X\nFEHLER:\nBeschreibung = Ungültige Klasse', 0), ['A']),
    /Ungültige Klasse/,
  )
  t.throws(
    () => wmicQuery(ran('', 'Node - X\nERROR:\nDescription = Invalid class', 0), ['A']),
    /Invalid class/,
  )
  t.throws(() => wmicQuery(ran('A=1\n', '', 44), ['A']), /status 44/)
  t.throws(() => wmicQuery(ran('A=1\n', '', null), ['A']), /lost/)
})

t.test('reg is read, of 2003 and of later', async t => {
  const path = 'HKLM\\SOFTWARE\\X'
  const later = parseReg(
    '\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\n    (Default)    REG_SZ    first\n    Two words    REG_DWORD    0x1f\n    Empty    REG_SZ    \n    Many    REG_MULTI_SZ    a\\0b c\\0\n    Big    REG_QWORD    0x1ffffffff\n\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\\Sub key\n',
    path,
  )
  t.strictSame(later.values.get(''), { kind: 'string', value: 'first' })
  t.strictSame(later.values.get('Two words'), { kind: 'dword', value: 31 })
  t.strictSame(later.values.get('Empty'), { kind: 'string', value: '' })
  t.strictSame(later.values.get('Many'), { kind: 'multi-string', value: ['a', 'b c'] })
  t.strictSame(later.values.get('Big'), { kind: 'qword', value: 0x1ffffffffn })
  t.strictSame(later.keys, ['Sub key'])
  const earlier = parseReg(
    '\n! REG.EXE VERSION 3.0\n\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\n    Name\tREG_SZ\tvalue here\n    D\tREG_DWORD\t0x2\n',
    path,
  )
  t.strictSame(
    [...earlier.values],
    [
      ['Name', { kind: 'string', value: 'value here' }],
      ['D', { kind: 'dword', value: 2 }],
    ],
  )
})

t.test('of reg, a text of several lines is whole, and a number that is none is an error', async t => {
  const path = 'HKLM\\SOFTWARE\\X'
  const { values, keys } = parseReg(
    '\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\n    A    REG_SZ    one\n\n  two\n    B    REG_NONE    00\nmore\n    C    REG_SZ    x\n\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\\Sub\n\n',
    path,
  )
  t.strictSame(
    [...values],
    [
      ['A', { kind: 'string', value: 'one\n\n  two' }],
      ['C', { kind: 'string', value: 'x' }],
    ],
  )
  t.strictSame(keys, ['Sub'])
  for (const field of ['REG_QWORD    (null)', 'REG_DWORD    ', 'REG_DWORD    what']) {
    const text = `\nHKEY_LOCAL_MACHINE\\SOFTWARE\\X\n    Big    ${field}\n`
    t.throws(() => parseReg(text, path), {
      name: 'InfraError',
      message: /^reg: the value "Big" of HKLM\\SOFTWARE\\X is not a number: (\(null\)|nothing|what)$/,
    })
  }
})

t.test('events are read, and anything else is not taken for none', async t => {
  const event = `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='USER32'/><EventID Qualifiers='32768'>1074</EventID><Level>4</Level><TimeCreated SystemTime='2026-11-23T02:00:01.0000000Z'/><EventRecordID>12</EventRecordID><Channel>System</Channel></System><EventData><Data>C:\\WINDOWS\\system32\\shutdown.exe (W)</Data><Data/><Data Name='param6'>a &amp; b</Data></EventData></Event>`
  t.match(parseEvents(`${event}\n${event}`), [
    {
      id: 1074,
      recordNumber: 12,
      provider: 'USER32',
      level: 4,
      log: 'System',
      data: [/shutdown/, '', 'a & b'],
    },
    { id: 1074 },
  ])
  t.strictSame(parseEvents('\n'), [])
  t.equal(parseEvents('The specified channel could not be found.'), null)
  t.equal(parseEvents(event.slice(0, -20)), null, 'an event that is cut')
  t.equal(
    xpathOf({ ids: [1, 2], levels: [2], providers: ['disk'], afterRecord: 5 }),
    "*[System[(EventID=1 or EventID=2) and Level=2 and Provider[@Name='disk'] and EventRecordID>5]]",
  )
  t.equal(xpathOf({}), '*')
})

t.test('how a PowerShell script ended', async t => {
  const judge = (stdout: string, code: number | null): unknown => {
    const { how, errors, lastStatus, succeeded } = judgeScript(ran(stdout, '', code), 'gcn')
    return [how, errors, lastStatus, succeeded]
  }
  t.strictSame(judge('out\ngcn end 0 \n', 0), ['ended', 0, null, true])
  t.strictSame(judge('gcn end 1 \n', 0), ['ended', 1, null, false], 'a non-terminating error')
  t.strictSame(judge('gcn end 0 3\n', 0), ['ended', 0, 3, false], 'a program’s status')
  t.strictSame(judge('gcn throw 1 \n', 1), ['threw', 1, null, false])
  t.strictSame(
    judge('outgcn end 0 0\nlate\n', 0),
    ['ended', 0, 0, true],
    'our line is found wherever it stands',
  )
  t.strictSame(judge('gcn left 0 \n', 3), ['exit', 0, null, false], 'exit 3')
  t.strictSame(judge('gcn left 0 \n', 0), ['exit', 0, null, true], 'exit 0')
  t.strictSame(judge('gcn left 0 \n', leftStatus), ['unknown', 0, null, false], 'break outside a loop')
  t.strictSame(judge('gcn end 0 \n', 3), ['exit', 0, null, false], '$host.SetShouldExit(3)')
  t.strictSame(judge('out\n', 3), ['unknown', null, null, false], 'without our line nothing is known')
  t.strictSame(judge('out\n', 0), ['unknown', null, null, false], 'a status alone proves nothing')
  t.strictSame(judge('gcn end 0 \n', null), ['unknown', null, null, false])
  t.equal(judgeScript(ran('noise\ngcn begin\nout\n\ngcn end 0 \n'), 'gcn').stdout, 'out\n')
  t.equal(
    judgeScript(ran('gcn begin\nout\ngcn end 0 \n'), 'gcn').stdout,
    'out',
    'a last line without its end',
  )
  t.match(frameScript('\ufeffé', 'gcn'), /^\$gcGiven='gcn w6k='\n/)
})

t.test('versions of Windows NT are in order', async t => {
  t.equal(isBefore('5.2', '6.0'), true)
  t.equal(isBefore('10.0', '6.2'), false)
  t.equal(isBefore('6.0', '6.0'), false)
})
