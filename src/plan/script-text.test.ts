import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { guestcert } from '../../test/cli-io.js'
import { type TextFile, unreadableScripts } from './script-text.js'

const bom = Buffer.from([0xef, 0xbb, 0xbf])
const script = '#!/bin/sh\n# naïve\n! grep -q "Hardware Error" /var/log/x\n'

function file(path: string, content: Buffer | string, interpreter: readonly string[] = []): TextFile {
  return { shown: `/s/${path}`, path, content: Buffer.from(content), interpreter }
}

/** `path:line:column: message` of what is refused, when `a` is a test's own script. */
function refused(...files: readonly TextFile[]): string[] {
  return unreadableScripts(files, new Set(['a'])).map(
    ({ place, message }) => `${place.file}:${place.line}:${place.column}: ${message}`,
  )
}

function utf16(text: string, order: 'le' | 'be'): Buffer {
  const bytes = Buffer.from(text, 'utf16le')
  return order === 'le' ? bytes : bytes.swap16()
}

t.test('what no POSIX shell reads as it was meant is refused, with place and cure', async t => {
  const rows: readonly [what: string, content: Buffer | string, RegExp][] = [
    ['CRLF', script.replaceAll('\n', '\r\n'), /^\/s\/a:1:10: a carriage return.*sed -i 's\/\\r\$\/\/' a/],
    ['CRLF in one line', script.replace('log/x\n', 'log/x\r\n'), /^\/s\/a:3:38: a carriage return/],
    ['CRLF at the end alone', `${script}true\r`, /^\/s\/a:4:5: a carriage return/],
    ['CR as the only line end', script.replaceAll('\n', '\r'), /^\/s\/a:1:10: a carriage return/],
    ['a carriage return in a comment', 'true # x\rexit 1\n', /^\/s\/a:1:9: a carriage return/],
    ['a byte order mark', Buffer.concat([bom, Buffer.from(script)]), /^\/s\/a:1:1: .*byte order mark.*sed/],
    ['UTF-16LE', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(script, 'le')]), /:1:1: .*UTF-16LE.*iconv/],
    ['UTF-16BE', Buffer.concat([Buffer.from([0xfe, 0xff]), utf16(script, 'be')]), /:1:1: .*UTF-16BE/],
    ['UTF-16LE without a mark', utf16(script, 'le'), /:1:1: .*UTF-16LE/],
    ['UTF-16BE without a mark', utf16(script, 'be'), /:1:1: .*UTF-16BE/],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x23, 0, 0, 0]), /:1:1: .*UTF-32LE/],
  ]
  for (const [what, content, expected] of rows) {
    const [first = '', ...others] = refused(file('a', content))
    t.match(first, expected, what)
    t.equal(others.length, 0, `${what}: said once`)
  }
})

t.test('what a shell reads is not refused', async t => {
  const rows: readonly [what: string, content: Buffer | string][] = [
    ['LF', script],
    ['nothing', ''],
    ['one letter', ':'],
    ['Latin-1', Buffer.from('# na\u00efve \u00e9t\u00e9\ntrue\n', 'latin1')],
    ['an escape of a carriage return', "printf 'a\\r\\n'\ntr -d '\\015'\n"],
    ['a program', Buffer.concat([Buffer.from('\u007fELF'), Buffer.from([0, 13, 10, 13])])],
    [
      'a payload behind a script',
      Buffer.concat([Buffer.from('exit 0\n'), Buffer.from([0x1f, 0x8b, 13, 10, 0])]),
    ],
    ['colours', 'printf "\u001b[31mred\u001b[m"\n'],
  ]
  for (const [what, content] of rows) t.same(refused(file('a', content)), [], what)
})

t.test('files that scripts read into themselves are looked at, and others are left alone', async t => {
  const crlf = 'x=1\r\n'
  const sources = (line: string): TextFile => file('a', `#!/bin/sh\n${line}\n`)
  const named = /^\/s\/lib\/common:1:4: a carriage return/
  for (const line of [
    '. "$GUESTCERT_SUITE/lib/common"',
    '. ./lib/common',
    'test -r x && . "$GUESTCERT_SUITE"/lib/common',
    'source lib/common',
    "if true; then . './lib/common'; fi",
    '(. "$(dirname "$0")/lib/common")',
  ]) {
    t.match(refused(sources(line), file('lib/common', crlf)), [named], line)
  }
  t.match(
    refused(sources('. ./first'), file('first', '. ./lib/common\n'), file('lib/common', crlf)),
    [named],
    'read by what is read',
  )
  t.match(refused(sources('true'), file('lib/x.sh', crlf)), [/x\.sh:1/], 'named like a script')
  t.match(
    refused(sources('true'), file('x', crlf, ['/usr/bin/env', 'bash'])),
    [/x:1/],
    'begins like a script',
  )
  for (const other of ['data.txt', 'x.ps1', 'x.cmd', 'x.bat', 'expected.csv']) {
    t.same(refused(sources(`cat ${other}`), file(other, crlf)), [], other)
  }
  t.same(refused(file('a', crlf, ['/usr/bin/pwsh'])), [], 'a script of Windows')
})

t.test('a plan with such a script is refused with exit code 2, and nothing runs', async t => {
  const folder = t.testdir({})
  const lab = `lab: small
hosts:
  h: { product: rhel-kvm, version: "9.6", driver: static, capacity: { guests: 2, memory: 4GiB } }
guests:
  g: { product: rhel, version: "5.11", arch: x86_64, emulated: rhel-5.11, on: { h: { configuration: { name: bios, firmware: bios, memory: 1GiB } } } }
suites: [./s]
`
  const manifest = `suite: s
version: 1.0.0
title: A suite
tests:
  - { id: a, title: A test, requirements: [R-1], level: required, script: a.sh, protocol: exit }
`
  const write = async (path: string, content: Buffer | string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  await write('lab.yaml', lab)
  await write('s/suite.yaml', manifest)
  await write('s/a.sh', '. "$GUESTCERT_SUITE/part"\n')
  await write('s/part', 'true\n')
  t.equal((await guestcert(['plan', 'lab.yaml'], { cwd: folder })).code, 0)
  await write('s/part', 'true\r\n')
  await write('s/a.sh', Buffer.concat([bom, await readFile(join(folder, 's/a.sh'))]))
  for (const command of ['plan', 'run']) {
    const { code, stderr } = await guestcert([command, 'lab.yaml'], { cwd: folder })
    t.equal(code, 2, command)
    t.match(stderr, /s\/a\.sh:1:1: .*byte order mark/)
    t.match(stderr, /s\/part:1:5: .*carriage return/)
  }
})
