import t from 'tap'
import type { InfraError } from '../../config/errors.js'
import { never, startRealHost } from './real-host.test.fixture.js'

const limitMs = 60_000
t.setTimeout(1_200_000)

t.test('a panic on the console of a guest behind a real libvirt host is told within seconds', async t => {
  const real = await startRealHost(t)
  const driver = real.openDriver()
  const request = await real.requestFor(1, { kind: 'overlay', path: real.vm.base })
  const prepared = await driver.instance(request).prepare(never)
  t.teardown(() => prepared.remove(never))
  const running = await prepared.start(never)
  t.equal(await real.inGuest(running, 'echo reached'), 'reached')
  await running.console?.look(never)
  let crash: InfraError | null = null
  const told = new Promise<void>(resolve =>
    running.console?.onCrash(error => {
      crash = error
      resolve()
    }),
  )
  t.equal(crash, null, 'a sound boot is not a crash')
  const at = performance.now()
  const late = AbortSignal.timeout(limitMs)
  const ended = new Promise<void>(resolve => late.addEventListener('abort', () => resolve(), { once: true }))
  const inGuest = real.inGuest(
    running,
    'echo 0 >/proc/sys/kernel/panic; (sleep 1; echo c >/proc/sysrq-trigger) &',
  )
  await Promise.race([told, ended])
  await inGuest.catch(() => {})
  t.comment(`told after ${Math.round(performance.now() - at)} ms`)
  t.match(crash, {
    message: /^gc-test.*: kernel panic on the console: .*Kernel panic - not syncing: sysrq triggered crash/,
    context: { cause: 'guest', code: 'lost' },
  })
  await running.stop(never)
})
