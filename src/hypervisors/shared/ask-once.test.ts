import t from 'tap'
import { askOnce } from './ask-once.js'

const never = new AbortController().signal

t.test('an answer is shared, a failure is not, and nobody pays for another who gave up', async t => {
  const asked: { signal: AbortSignal; answer: (value: string) => void; fail: (error: Error) => void }[] = []
  const facts = askOnce(
    signal =>
      new Promise<string>((answer, fail) => {
        asked.push({ signal, answer, fail })
        signal.addEventListener('abort', () => fail(new Error('was cancelled')))
      }),
  )
  const impatient = new AbortController()
  const first = facts(impatient.signal)
  const second = facts(never)
  t.equal(asked.length, 1, 'the second waits for the first')
  impatient.abort()
  await t.rejects(first, /cancelled/)
  await new Promise(setImmediate)
  t.equal(asked.length, 2, 'and asks by itself when that gave up')
  t.equal(asked[1]?.signal, never)
  asked[1]?.answer('xen')
  t.equal(await second, 'xen')
  t.equal(await facts(never), 'xen')
  t.equal(asked.length, 2)
})

t.test('who asked is told why it failed, and the next asks again', async t => {
  let tries = 0
  const facts = askOnce(async () => {
    tries += 1
    if (tries === 1) throw new Error('refused')
    return tries
  })
  await t.rejects(facts(never), /refused/)
  t.equal(await facts(never), 2)
})
