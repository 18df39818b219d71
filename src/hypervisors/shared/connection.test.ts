import { once } from 'node:events'
import t from 'tap'
import { InfraError } from '../../config/errors.js'
import type { Machine } from '../../remote/index.js'
import { HostConnection } from './connection.js'
import { localMachine } from './local-machine.test.fixture.js'

const never = new AbortController().signal

interface Losable {
  readonly machine: Machine
  readonly lose: AbortController
  closed: boolean
}

function losable(): Losable {
  const lose = new AbortController()
  const made: Losable = {
    lose,
    closed: false,
    machine: {
      ...localMachine('/usr/bin', '/'),
      lost: lose.signal,
      close: async () => {
        made.closed = true
      },
    },
  }
  return made
}

t.test('one connection for all, opened when needed, anew when lost', async t => {
  const made: Losable[] = []
  const connection = new HostConnection('kvm-1', async () => {
    const one = losable()
    made.push(one)
    return one.machine
  })
  t.equal(made.length, 0)
  const [first, same] = await Promise.all([connection.machine(never), connection.machine(never)])
  t.equal(first, same)
  t.equal(made.length, 1)
  made[0]?.lose.abort()
  const again = await Promise.all([connection.machine(never), connection.machine(never)])
  t.equal(made.length, 2)
  t.strictSame(again, [made[1]?.machine, made[1]?.machine])
  await connection.close()
  t.ok(made[1]?.closed)
  await t.rejects(connection.machine(never), { message: /the driver is closed/ })
})

t.test('a failure is told to all who wait, and tried again by the next', async t => {
  let tries = 0
  const connection = new HostConnection('kvm-1', async () => {
    tries += 1
    if (tries === 1) {
      throw new InfraError('kvm-1: no connection', { cause: 'network', where: 'kvm-1', code: 'connect' })
    }
    return losable().machine
  })
  const both = await Promise.allSettled([connection.machine(never), connection.machine(never)])
  t.strictSame(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  t.ok(await connection.machine(never))
  t.equal(tries, 2)
})

t.test('who gives up does not keep others from the connection', async t => {
  let open: (machine: Machine) => void = () => {}
  let told: AbortSignal = never
  const connection = new HostConnection('kvm-1', signal => {
    told = signal
    return new Promise<Machine>(resolve => {
      open = resolve
    })
  })
  const impatient = new AbortController()
  const one = connection.machine(impatient.signal)
  const other = connection.machine(never)
  impatient.abort()
  await t.rejects(one, { name: 'InfraError', context: { code: 'cancelled', cause: 'runner' } })
  t.notOk(told.aborted)
  open(losable().machine)
  t.ok(await other)
  const ended = once(told, 'abort')
  await connection.close()
  await ended
})
