import fc from 'fast-check'
import t from 'tap'
import { Redactor } from './redactor.js'
import { weakness } from './weakness.js'

const secret = `Tr0ub4dor&3 'x"\\é`
const redactor = new Redactor([secret, 'another-Secret1'])

/** The same in each of its forms. */
const forms: Readonly<Record<string, string>> = {
  plain: secret,
  'the longer of two': 'another-Secret1',
  'in a URL': encodeURIComponent(secret),
  'in a form': encodeURIComponent(secret).replaceAll('%20', '+'),
  'as JSON': JSON.stringify(secret),
  'as XML': secret.replaceAll('&', '&amp;'),
  'in single quotes': `'${secret.replaceAll("'", "'\\''")}'`,
  hex: Buffer.from(secret).toString('hex'),
  'hex in capitals': Buffer.from(secret).toString('hex').toUpperCase(),
  'hex with blanks': Buffer.from(secret)
    .toString('hex')
    .replace(/..(?!$)/g, '$& '),
  'Base64 alone': Buffer.from(secret).toString('base64'),
  'Base64 after one byte': Buffer.from(`:${secret}`).toString('base64'),
  'Base64 after two, as basic authentication': Buffer.from(`me:${secret}!`).toString('base64'),
  'Base64 for URLs': Buffer.from(`user:${secret}`).toString('base64url'),
  'Base64 of UTF-16, as PowerShell takes commands': Buffer.from(secret, 'utf16le').toString('base64'),
  'over two lines': `${secret.slice(0, 4)}\n${secret.slice(4)}`,
  'over two lines of a comment': `# ${secret.slice(0, 4)}\r\n#   ${secret.slice(4)}`,
  'Base64 in lines': Buffer.from(secret).toString('base64').replace(/.{4}/g, '$&\n'),
  'with colours within': `${secret.slice(0, 3)}\x1b[31m${secret.slice(3, 6)}\x1b[0m${secret.slice(6)}`,
  'with a title within': `${secret.slice(0, 3)}\x1b]0;title\x07${secret.slice(3)}`,
  'in a title': `\x1b]0;${secret}\x07`,
  'in a title without an end': `\x1b]0;${secret}`,
  'with NUL between, as UTF-16': [...secret].join('\0'),
  'with marks that are not seen': [...secret].join('\u200b'),
}

/** What is left of a text when all that may stand between characters is gone. */
function telling(text: string): string {
  return text.replace(/\x1b\[[0-9;]*m|\x1b\][^\x07]*\x07/g, '').replace(/[^!-~é ]|\n#? */g, '')
}

for (const [what, form] of Object.entries(forms)) {
  t.test(`a secret is replaced ${what}`, async t => {
    const said = `before ${form} after`
    const clean = redactor.text(said)
    t.match(clean, /\[secret\]/)
    t.match(clean, /^before/)
    t.match(clean, /after$/)
    for (const part of [secret, Buffer.from(secret).toString('base64').slice(2, 14)]) {
      t.notMatch(telling(clean), part)
    }
    const bytes = Buffer.from(said)
    t.equal(redactor.bytes(bytes).toString(), clean, 'in bytes as in text')
    for (let at = 1; at < bytes.length; at += 1) {
      const stream = redactor.stream()
      const pieces = [stream.push(bytes.subarray(0, at)), stream.push(bytes.subarray(at)), stream.end()]
      if (Buffer.concat(pieces).toString() !== clean) t.fail(`cut at ${at}: ${Buffer.concat(pieces)}`)
    }
  })
}

t.test('what is not a secret comes out as it came in, however it is cut', async t => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), chunks => {
      const stream = redactor.stream()
      const out = Buffer.concat([...chunks.map(chunk => stream.push(Buffer.from(chunk))), stream.end()])
      return out.equals(Buffer.concat(chunks))
    }),
  )
  t.pass('no counterexample')
})

t.test('only what may be the beginning of a secret is held back', async t => {
  const stream = redactor.stream()
  t.equal(stream.push(Buffer.from('ok 1 - it holds\n')).toString(), 'ok 1 - it holds\n')
  t.equal(stream.push(Buffer.from('ok 2 - anot')).toString(), 'ok 2 - ')
  t.equal(stream.push(Buffer.from('her day\n')).toString(), 'another day\n')
})

t.test('values are cleaned whole, keys too', async t => {
  t.same(redactor.value({ a: [secret, 1, null], [secret]: { b: true } }), {
    a: ['[secret]', 1, null],
    '[secret]': { b: true },
  })
  t.ok(new Redactor([]).isIdle)
  const value = {}
  t.equal(new Redactor([]).value(value), value)
})

t.test('a secret that its own absence would tell is weak', async t => {
  const names = ['root', 'Debian-12', 'kvm-1', 'administrator-of-the-lab']
  for (const weak of [
    'root',
    'toor',
    '12345',
    'debian-12',
    'KVM-1',
    'password',
    'administrator',
    '20261130',
  ]) {
    t.type(weakness(weak, names), 'string', weak)
  }
  t.match(weakness('Administrator-of-the-Lab', names), /name that the lab uses/)
  for (const strong of ['hunter2', 'S3cret-of-the-test', 'correcthorsebattery', 'pass word']) {
    t.equal(weakness(strong, names), null, strong)
  }
})
