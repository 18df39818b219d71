import t, { type Test } from 'tap'
import { isShared, type SharedMachine } from './lent.js'
import type { CommandResult, Machine } from './machine.js'
import { connectWithRetries } from './retries.js'
import { alone, type ServerOptions, startServer, type TestServer, unique } from './server.test.fixture.js'

const options = { signal: new AbortController().signal, limitMs: 30_000 }

async function shared(
  t: Test,
  given: ServerOptions = {},
): Promise<{ server: TestServer; owner: SharedMachine; lent: Machine }> {
  const server = await startServer(given)
  t.teardown(() => server.close())
  const owner = await connectWithRetries(server.target(), alone)
  t.teardown(() => owner.close())
  const lent = isShared(owner) ? owner.lend('lab/guest/host') : null
  if (!isShared(owner) || lent === null) {
    throw new TypeError('its connection cannot be lent')
  }
  return { server, owner, lent }
}

t.test('tests run over the connection that is there, under their own mark', async t => {
  const { server, owner, lent } = await shared(t)
  const { stdout } = await lent.run('echo "$GUESTCERT_MARK"')
  t.match(stdout.text, /^lab\/guest\/host\/[0-9a-f]{8}-\d+\n$/)
  const { stdout: beside } = await owner.runBeside('echo "$GUESTCERT_MARK"', options)
  t.match(beside.text, /^guestcert\/[0-9a-f]{8}-\d+\n$/)
  t.equal(server.counts.logins, 1)
  t.equal(lent.hostKey, owner.hostKey)
})

t.test('one borrower at a time, and who gives it back leaves it as it was', async t => {
  const { owner, lent } = await shared(t)
  t.equal(owner.lend('b'), null)
  await lent.close()
  t.ok(lent.lost.aborted)
  await t.rejects(lent.run(':'), { message: 'guest-1: the connection was closed here' })
  t.notOk(owner.lost.aborted)
  const second = owner.lend('b')
  t.match(await second?.run(':'), { exit: { kind: 'code', code: 0 } })
})

t.test('a borrower who closes it while a command runs ends the command with it', async t => {
  const { owner, lent } = await shared(t)
  const { ended } = await begun(lent)
  await lent.close()
  t.match(await ended, { exit: { kind: 'lost' } })
  t.ok(owner.lost.aborted)
  t.equal(owner.lend('b'), null)
})

t.test('a connection that is lost is lost to the borrower, for the same reason', async t => {
  const { server, owner, lent } = await shared(t)
  const lost = new Promise<void>(resolve => lent.lost.addEventListener('abort', () => resolve()))
  server.cut()
  await lost
  t.equal(lent.lost.reason, owner.lost.reason)
})

t.test('its owner waits for no channel of the borrower, and finds another connection if need be', async t => {
  const { server, owner, lent } = await shared(t, { mostChannels: 1 })
  const { ended } = await begun(lent)
  t.match(await owner.runBeside('echo mine', options), { stdout: { text: 'mine\n' } })
  t.notOk(owner.lost.aborted)
  t.equal(server.counts.logins, 2)
  await lent.close()
  await ended
})

t.test('that connection is not waited for once the owner lets go', async t => {
  const ending = new AbortController()
  let isFirst = true
  const { owner, lent } = await shared(t, {
    mostChannels: 1,
    authenticate: context => {
      if (isFirst) {
        context.accept()
      } else {
        ending.abort(new Error('the run has ended'))
      }
    },
  })
  const { ended } = await begun(lent)
  isFirst = false
  const beside = owner.runBeside('echo mine', { ...options, signal: ending.signal })
  await t.rejects(beside, { message: 'the run has ended' })
  await lent.close()
  await ended
})

/** A command that runs until its connection ends. */
async function begun(machine: Machine): Promise<{ ended: Promise<CommandResult> }> {
  let begin = (): void => {}
  const hasBegun = new Promise<void>(resolve => {
    begin = resolve
  })
  const ended = machine.run(unique('echo begun; sleep 1000'), { onStdout: begin })
  await hasBegun
  return { ended }
}
