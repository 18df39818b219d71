import t from 'tap'
import type { Check, Seen } from '../hypervisors/driver.js'
import { examine } from './examine.js'
import { reportOf, type Subject } from './finding.js'

const never = new AbortController().signal
const options = { parallel: 4, checkLimitMs: 10_000, signal: never }
const ok = async (): Promise<Seen> => ({ state: 'ok', seen: 'there' })
const missing = async (): Promise<Seen> => ({ state: 'missing', seen: 'not there' })

function check(name: string, carryOut: Check['carryOut'], after: readonly string[] = []): Check {
  return { name, asked: 'something', after, carryOut }
}

function subject(checks: readonly Check[], guest?: string): Subject {
  return {
    host: 'h',
    emulated: false,
    checks,
    ...(guest === undefined ? {} : { guest: { id: guest, configuration: 'c' } }),
  }
}

t.test('what rests on a check that is not ok is not carried out, however far down', async t => {
  let tried = 0
  const count = async (): Promise<Seen> => {
    tried += 1
    return ok()
  }
  const host = subject([check('login', missing), check('tools', count, ['login'])])
  const guest = subject([check('vm', count, ['tools']), check('clean state', count, ['vm'])], 'g')
  const [ofHost, ofGuest] = await examine([host, guest], options)
  t.match(ofHost?.findings, [
    { check: 'login', state: 'missing' },
    { check: 'tools', state: 'not-checked', seen: '"login" is not ok' },
  ])
  t.match(ofGuest?.findings, [
    { check: 'vm', state: 'not-checked', seen: '"tools" of the host h is not ok' },
    { check: 'clean state', state: 'not-checked', seen: '"vm" is not ok' },
  ])
  t.equal(tried, 0)
})

t.test('a check that rests on one that nobody carries out is not ok', async t => {
  const [only] = await examine([subject([check('tools', ok, ['login'])])], options)
  t.match(only?.findings, [{ state: 'not-checked', seen: '"login" is not ok' }])
})

t.test('guests of the same host rest on their own checks first', async t => {
  const host = subject([check('login', missing)])
  const guest = subject([check('login', ok), check('clock', ok, ['login'])], 'g')
  const [, ofGuest] = await examine([host, guest], options)
  t.match(ofGuest?.findings, [{ state: 'ok' }, { state: 'ok' }])
})

t.test('an error is missing, in its own words, cleaned for a terminal', async t => {
  const throws = async (): Promise<Seen> => {
    throw new Error(`virsh said\n\u001b[2Jrefused ${'x'.repeat(1000)}`)
  }
  const [only] = await examine([subject([check('libvirt', throws)])], options)
  t.match(only?.findings[0], { state: 'missing', seen: /^virsh said \[2Jrefused x+…$/ })
})

t.test('a check that does not end is ended by its limit, and holds nobody up', async t => {
  const hangs = (): Promise<Seen> => new Promise(() => {})
  const checks = [check('hangs', hangs), check('after', ok, ['hangs']), check('other', ok)]
  const [only] = await examine([subject(checks)], { ...options, parallel: 1, checkLimitMs: 50 })
  t.match(only?.findings, [
    { state: 'missing', seen: 'the limit "check" of 50 ms was reached' },
    { state: 'not-checked' },
    { state: 'ok' },
  ])
})

t.test('no more run at once than may', async t => {
  let [running, most] = [0, 0]
  const counted = async (): Promise<Seen> => {
    running += 1
    most = Math.max(most, running)
    await new Promise(resolve => setImmediate(resolve))
    running -= 1
    return ok()
  }
  const checks = Array.from({ length: 20 }, (_, index) => check(`check ${index}`, counted))
  await examine([subject(checks)], { ...options, parallel: 3 })
  t.equal(most, 3)
})

t.test('a lab is well only when something was looked at, and all of it is ok', async t => {
  const well = async (checks: readonly Check[]): Promise<boolean> =>
    reportOf('lab', await examine([subject(checks)], options)).ok
  t.ok(await well([check('a', ok)]))
  t.notOk(await well([]), 'nobody has looked')
  t.notOk(await well([check('a', ok), check('b', missing)]))
  const unsure = async (): Promise<Seen> => ({ state: 'not-checked', seen: 'too uncertain' })
  t.notOk(await well([check('a', ok), check('b', unsure)]))
})

t.test('an interrupt ends all of it', async t => {
  const stop = new AbortController()
  const hangs = (): Promise<Seen> => new Promise(() => {})
  const running = examine([subject([check('hangs', hangs)])], { ...options, signal: stop.signal })
  stop.abort(new Error('interrupted'))
  await t.rejects(running, /interrupted/)
})
