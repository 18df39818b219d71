import t from 'tap'
import { longestLine } from './line.js'
import { Answers, pipedRequestLine, requestLine, serviceCommand } from './service.js'

const push = (answers: Answers, ...lines: string[]): void =>
  answers.push(Buffer.from(lines.map(line => `${line}\r\n`).join('')))

t.test('the command fits in one line of cmd', async t => {
  t.ok(serviceCommand.length < longestLine - 1000, `${serviceCommand.length} characters`)
})

t.test('a request is one line of ASCII that .NET unescapes', async t => {
  t.equal(
    requestLine(7, ['wmi', 'root\\cimv2', 'A,B', "C WHERE D = 'é\t'"]),
    "7\twmi\troot\\\\cimv2\tA,B\tC WHERE D = '\\u00e9\\u0009'\n",
  )
})

t.test('a request for a pipe of cmd holds nothing that cmd reads as its own', async t => {
  const line = pipedRequestLine(1, ['wmi', 'root\\cimv2', 'A', "B WHERE C LIKE '%M[K]=a/b-1&%'"])
  t.match(line, /^[A-Za-z0-9 ,._/\\\t]+$/)
  const taken = line
    .split('\t')
    .map(field =>
      field.replace(/\\u([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    )
  t.strictSame(taken, ['1', 'wmi', 'root\\\\cimv2', 'A', "B WHERE C LIKE '%M[K]=a/b-1&%'"])
})

t.test('an error of ours is not the guest\u2019s', async t => {
  const answers = new Answers('guest')
  const [theirs, ours] = [answers.await(1), answers.await(2)]
  push(answers, 'gc 1 error "Invalid class "', 'gc 2 fault "The term \'x\' is not recognized"')
  await t.rejects(theirs, { message: /Invalid class/, context: { cause: 'guest' } })
  await t.rejects(ours, { message: /could not be carried out/, context: { cause: 'runner' } })
})

t.test('answers come in any order and in any pieces', async t => {
  const answers = new Answers('guest')
  const [one, two, three] = [answers.await(1), answers.await(2), answers.await(3)]
  const text = Buffer.from(
    'gc hello 5.1.1 4\r\ngc 2 row {"A":"1"}\r\ngc 1 row {"A":null}\r\ngc 2 row {"A":["x","y"]}\r\ngc 1 end 1\r\ngc 3 absent\r\ngc 2 end 2\r\n',
  )
  for (const byte of text) {
    answers.push(Buffer.from([byte]))
  }
  t.equal(await answers.hello, '5.1.1')
  t.strictSame(await one, { rows: [{ A: null }], absent: false })
  t.strictSame(await two, { rows: [{ A: '1' }, { A: ['x', 'y'] }], absent: false })
  t.strictSame(await three, { rows: [], absent: true })
})

t.test('an empty answer is not a failed one', async t => {
  const answers = new Answers('guest')
  const empty = answers.await(1)
  push(answers, 'gc 1 end 0')
  t.strictSame((await empty).rows, [])

  const failed = answers.await(2)
  push(answers, 'gc 2 error "Invalid class "')
  await t.rejects(failed, /Invalid class/)

  const short = answers.await(3)
  push(answers, 'gc 3 row {"A":"1"}', 'gc 3 end 2')
  await t.rejects(short, /counted 2 rows, and 1 came/, 'a row that was lost is noticed')

  const broken = answers.await(4)
  push(answers, 'gc 4 row {"A":')
  await t.rejects(broken, /a row that is none/)

  const typed = answers.await(5)
  push(answers, 'gc 5 row {"A":1}')
  await t.rejects(typed, /a row that is none/, 'numbers travel as text')

  const cut = answers.await(6)
  push(answers, 'gc 6 row {"A":"1"}')
  answers.failAll('PowerShell is gone')
  await t.rejects(cut, /gone/, 'an answer without its end is none')
})
