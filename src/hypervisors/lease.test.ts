import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { defaultLimits } from '../config/limits.js'
import type { Guest, Host, Placement } from '../config/model.js'
import type { Driver } from './driver.js'
import { type LeasedPlace, type Leases, openLeases } from './lease.js'
import { localShell } from './qemu/shell.js'

// No lease expires here, however busy the machine is.
const limits = { ...defaultLimits, leaseLook: 100 }
const never = new AbortController().signal

/** Hosts that are this machine, each with a lease of its own. */
function placeOn(folder: string, host: string): LeasedPlace {
  const machine = localShell(host)
  const driver: Pick<Driver, 'name' | 'shell'> = {
    name: 'libvirt',
    shell: async () => ({
      ...machine,
      run: (command, options) =>
        machine.run(command.replaceAll(join(folder, 'lease'), join(folder, host)), options),
    }),
  }
  const connect = { endpoint: { host, port: 22, jumps: [] } }
  return {
    host: { id: host, connect } as unknown as Host,
    guest: { id: 'guest', shell: 'posix' } as Guest,
    placement: { host, clean: { kind: 'none' } } as Placement,
    driver: driver as Driver,
  }
}

function runOf(t: Test, folder: string, who: string): { leases: Leases; waits: string[] } {
  const folders = { host: join(folder, 'lease'), guest: join(folder, 'guest') }
  const leases = openLeases({ who, run: `run-of-${who}`, limits, folders })
  t.teardown(() => leases.close())
  return { leases, waits: [] }
}

t.test('two runs, each with the host that the other one wants next, both go on', async t => {
  const folder = t.testdir()
  const [a, b] = [placeOn(folder, 'a'), placeOn(folder, 'b')]
  const [alice, bob] = [runOf(t, folder, 'alice'), runOf(t, folder, 'bob')]
  const hold = ({ leases, waits }: typeof alice, place: LeasedPlace) =>
    leases.hold({ ...place, signal: never, onWait: machine => waits.push(machine) })
  const onA = await hold(alice, a)
  const onB = await hold(bob, b)
  const [second, third] = [hold(alice, b), hold(bob, a)]
  while (alice.waits.length === 0 || bob.waits.length === 0) {
    await pause(50)
  }
  onA.leave()
  onB.leave()
  const [aliceOnB, bobOnA] = await Promise.all([second, third])
  t.equal(aliceOnB.machine, 'b')
  t.equal(bobOnA.machine, 'a')
  await aliceOnB.confirm(null, never)
  aliceOnB.leave()
  bobOnA.leave()
  t.equal((await hold(alice, b)).token, aliceOnB.token, 'what nobody waits for is kept')
})

t.test('a machine that an instance is on is not given back, whoever waits', async t => {
  const folder = t.testdir()
  const [a, b] = [placeOn(folder, 'a'), placeOn(folder, 'b')]
  const [alice, bob] = [runOf(t, folder, 'alice'), runOf(t, folder, 'bob')]
  const ignore = { signal: never, onWait: () => {} }
  const onA = await alice.leases.hold({ ...a, ...ignore })
  await alice.leases.hold({ ...a, ...ignore })
  await bob.leases.hold({ ...b, ...ignore })
  const given = new AbortController()
  let left = (): void => {}
  const hasLeft = new Promise<void>(resolve => {
    left = resolve
  })
  const onWait = (): void => {
    onA.leave()
    left()
  }
  const waiting = alice.leases.hold({ ...b, onWait, signal: given.signal })
  await hasLeft
  const tries = AbortSignal.timeout(1_000)
  await t.rejects(bob.leases.hold({ ...a, ...ignore, signal: tries }), { message: /cancelled/ })
  given.abort()
  await t.rejects(waiting)
})
