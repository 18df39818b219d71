import t from 'tap'
import { decodeOutput } from './decode.js'
import { parseLook } from './tools.js'

t.test('output is read in whatever encoding it comes', async t => {
  const text = 'Größe: 5 €'
  t.equal(decodeOutput(Buffer.from('\u00e4', 'latin1'), 1252), 'ä')
  t.equal(decodeOutput(Buffer.from([0x84, 0x94, 0x81, 0xe1]), 437), 'äöüß')
  t.equal(decodeOutput(Buffer.from([0x84, 0x94, 0x81, 0xe1]), 850), 'äöüß')
  t.equal(decodeOutput(Buffer.from([0xd5]), 858), '€', '858 is 850 with the euro')
  t.equal(decodeOutput(Buffer.from([0x8f, 0xe0]), 866), 'Пр')
  t.equal(decodeOutput(Buffer.from([0x83, 0x5c]), 932), 'ソ', 'a second byte that is a backslash')
  t.equal(decodeOutput(Buffer.from(text, 'utf8'), 437), text, 'UTF-8 that is well-formed')
  t.equal(decodeOutput(Buffer.from(`\ufeff${text}`, 'utf8'), 437), text, 'a mark of UTF-8')
  t.equal(decodeOutput(Buffer.from(`\ufeff${text}\r\n`, 'utf16le'), 437), `${text}\n`, 'UTF-16 with its mark')
  t.equal(decodeOutput(Buffer.from('Version=5.2\r\n', 'utf16le'), 437), 'Version=5.2\n', 'and without')
  t.equal(decodeOutput(Buffer.from('a\r\r\nb\r\n'), 437), 'a\nb\n', 'the line ends of wmic')
  t.equal(decodeOutput(Buffer.from([0x80]), 12345), '\ufffd', 'an unknown code page is not guessed')
  t.equal(decodeOutput(Buffer.alloc(0), 437), '')
})

t.test('CLIXML gives up its errors and nothing else', async t => {
  const noise =
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
  const progress =
    '<Obj S="progress" RefId="0"><TN RefId="0"><T>System.Object</T></TN><MS><PR N="Record"><AV>Preparing modules</AV></PR></MS></Obj>'
  t.equal(decodeOutput(Buffer.from(`${noise}${progress}</Objs>`), 437), '')
  t.equal(
    decodeOutput(
      Buffer.from(`${noise}<S S="Error">no &lt;such&gt; thing_x000D__x000A_</S></Objs>after`),
      437,
    ),
    'no <such> thing\nafter',
  )
  const object = (said: string, type: string): string =>
    `<Obj S="Error" RefId="0">${type}<ToString>${said}</ToString><MS><Obj N="Exception" RefId="1"><ToString>E: ${said}</ToString></Obj></MS></Obj>`
  const objects = `${object('one', '<TN RefId="0"><T>System.Object</T></TN>')}${progress}${object('t_x000A_wo', '<TNRef RefId="0" />')}`
  t.equal(
    decodeOutput(Buffer.from(`${noise}${objects}</Objs>`), 437),
    'one\nt\nwo\n',
    'errors that are objects',
  )
})

t.test('a look at a guest is read in any language', async t => {
  const look = parseLook(
    [
      'gc-tools',
      'gc-has reg.exe',
      'gc-has wbem\\wmic.exe',
      'gc-has WindowsPowerShell\\v1.0\\powershell.exe',
      'gc-chcp',
      'Aktive Codepage: 850.',
      'gc-ver',
      '',
      'Microsoft Windows [Versión 10.0.17763.1]',
      'gc-ps',
      '',
      'HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\PowerShell\\3\\PowerShellEngine',
      '    PowerShellVersion    REG_SZ    5.1.17763.1',
      '',
    ].join('\n'),
  )
  t.match(look, { codePage: 850, version: '10.0.17763.1', powershell: '5.1.17763.1' })
  t.match(look?.tools, { reg: true, wmic: true, powershell: true, wevtutil: false, taskkill: false })
  const old =
    'gc-tools\ngc-chcp\nActive code page: 437\ngc-ver\n\nMicrosoft Windows 2000 [Version 5.00.2195]\ngc-ps\n'
  t.match(parseLook(old), { version: '5.00.2195', powershell: null, tools: { wmic: false } })
  const first = `${old.replace('gc-tools\n', 'gc-tools\ngc-has WindowsPowerShell\\v1.0\\powershell.exe\n')}    PowerShellVersion\tREG_SZ\t1.0\n`
  t.equal(parseLook(first)?.powershell, null, '1.0 is not used')
  t.equal(parseLook(first.replace('1.0\n', '2.0\n'))?.powershell, '2.0')
  t.equal(parseLook('command not found'), null)
})
