import type { Test } from 'tap'
import { InfraError } from '../config/errors.js'
import { untilAborted } from '../remote/index.js'
import type { Driver, GuestRequest, RunningGuest } from './driver.js'

/** A driver on a host of the test's own. */
export interface Subject {
  readonly driver: Driver
  readonly request: GuestRequest
  /** All that instances have on the host. */
  left(): Promise<readonly string[]>
  /** Calls with the number of every command that the host is given from now on. */
  onCommand(listener: (number: number) => void): void
  /** Makes the host refuse the n-th command from now on. */
  refuse(number: number): void
  /** Ends the instance behind the driver's back. */
  end(): Promise<void>
  /** Ends it and starts it again, behind the driver's back. */
  restart?(): Promise<void>
  /** False where the host gives a machine no mark of its start, so that nobody can tell that it was started anew. */
  readonly showsRestarts?: false
}

const never = new AbortController().signal
const lossMs = 20_000

/** The calls of each ability. */
const calls: readonly (readonly [ability: string, calls: readonly (keyof RunningGuest)[]])[] = [
  ['attach-disk', ['attachDisk', 'detachDisk']],
  ['attach-nic', ['attachNic', 'detachNic']],
  ['migrate', ['migrate']],
  ['nmi', ['nmi']],
  ['pause', ['pause', 'resume']],
  ['reset', ['reset']],
  ['revert', ['revert']],
  ['screenshot', ['screenshot']],
  ['set-memory', ['setMemory']],
  ['set-vcpus', ['setVcpus']],
  ['snapshot', ['snapshot', 'deleteSnapshot']],
  ['stop', ['shutdown', 'powerOff', 'powerOn']],
]

/** What every driver must do, whatever it drives: shown on a host of its own for each test. */
export function contract(t: Test, name: string, open: (t: Test) => Promise<Subject>): void {
  t.test(`${name}: from start to removal, each step twice`, async t => {
    const { driver, request, left } = await open(t)
    t.strictSame(await left(), [])
    const instance = driver.instance(request)
    await t.rejects(instance.start(never), InfraError, 'nothing starts that was not prepared')
    await instance.prepare(never)
    await instance.prepare(never)
    const running = await instance.start(never)
    t.equal(await instance.start(never), running, 'it is started once')
    t.ok((await running.access(never)).endpoint.host)
    t.ok(instance.keepHint)
    t.notOk(running.gone.aborted)
    t.not((await left()).length, 0)
    await running.stop(never)
    await running.stop(never)
    t.notOk(running.gone.aborted, 'an end that was asked for is no loss')
    await instance.remove(never)
    await instance.remove(never)
    t.strictSame(await left(), [])
  })

  t.test(`${name}: what runs is removed without being stopped, and made again`, async t => {
    const { driver, request, left } = await open(t)
    const instance = driver.instance(request)
    await instance.remove(never)
    await (await instance.prepare(never)).start(never)
    await instance.remove(never)
    t.strictSame(await left(), [])
    const running = await (await instance.prepare(never)).start(never)
    t.notOk(running.gone.aborted)
    await instance.remove(never)
    t.strictSame(await left(), [])
  })

  t.test(`${name}: it offers what it has the abilities for, and each works, also twice`, async t => {
    const { driver, request, left } = await open(t)
    const instance = await driver.instance(request).prepare(never)
    const running = await instance.start(never)
    const abilities: ReadonlySet<string> = driver.abilities(request.placement)
    for (const [ability, methods] of calls) {
      for (const method of methods) {
        t.equal(typeof running[method] === 'function', abilities.has(ability), `${ability}: ${method}`)
      }
    }
    for (const twice of [1, 2]) {
      await running.pause?.(never)
      await running.pause?.(never)
      await running.resume?.(never)
      await running.resume?.(never)
      await running.powerOff?.(never)
      await running.powerOff?.(never)
      await running.powerOn?.(never)
      await running.powerOn?.(never)
      await running.pause?.(never)
      await running.shutdown?.(never)
      await running.shutdown?.(never)
      await running.powerOn?.(never)
      await running.reset?.(never)
      await running.snapshot?.('one', never)
      await running.snapshot?.('one', never)
      const disk = await running.attachDisk?.(1024, never)
      const card = await running.attachNic?.(never)
      await running.detachDisk?.(disk?.serial ?? '', never)
      await running.detachNic?.(card?.mac ?? '', never)
      await running.revert?.('one', never)
      await running.deleteSnapshot?.('one', never)
      await running.deleteSnapshot?.('one', never)
      await running.setVcpus?.(1, never)
      await running.setVcpus?.(2, never)
      await running.setMemory?.(2 ** 27, never)
      await running.setMemory?.(2 ** 28, never)
      const here = (await running.migrate?.(never))?.host
      t.not((await running.migrate?.(never))?.host ?? null, here, `${twice}: moved there and back`)
      t.notOk(running.gone.aborted, `${twice}: none of it is a loss`)
    }
    await running.stop(never)
    await instance.remove(never)
    t.strictSame(await left(), [])
  })

  t.test(`${name}: cancelled at any step, it leaves nothing`, async t => {
    const { driver, request, left, onCommand } = await open(t)
    let isThrough = false
    for (let step = 1; !isThrough; step += 1) {
      const controller = new AbortController()
      onCommand(number => {
        if (number === step) {
          controller.abort()
        }
      })
      const instance = driver.instance(request)
      isThrough = await instance
        .prepare(controller.signal)
        .then(prepared => prepared.start(controller.signal))
        .then(
          () => !controller.signal.aborted,
          (error: unknown) => {
            if (!controller.signal.aborted) {
              throw error
            }
            return false
          },
        )
      onCommand(() => {})
      await instance.remove(never)
      t.strictSame(await left(), [], `cancelled at command ${step}`)
    }
  })

  t.test(`${name}: whichever command its host refuses, what is half-made goes`, async t => {
    const { driver, request, left, refuse, onCommand } = await open(t)
    let commands = 0
    onCommand(() => {
      commands += 1
    })
    const sound = driver.instance(request)
    await (await sound.prepare(never)).start(never)
    const all = commands
    await sound.remove(never)
    let refused = 0
    for (let step = 1; step <= all; step += 1) {
      const instance = driver.instance(request)
      refuse(step)
      const error = await instance
        .prepare(never)
        .then(prepared => prepared.start(never))
        .then(
          () => null,
          (error: unknown) => error,
        )
      refuse(0)
      if (error !== null) {
        refused += 1
        t.match(error, InfraError, `an error of the host at command ${step}`)
      }
      await instance.remove(never)
      t.strictSame(await left(), [], `refused at command ${step}`)
    }
    t.ok(refused > 0, `${refused} of ${all} commands matter`)
  })

  t.test(`${name}: removed while it is still being made`, async t => {
    const { driver, request, left } = await open(t)
    const instance = driver.instance(request)
    const preparing = instance.prepare(never)
    await instance.remove(never)
    await preparing
    t.strictSame(await left(), [])
  })

  t.test(`${name}: an end that nobody asked for is a loss, with its cause`, async t => {
    const { driver, request, left, end } = await open(t)
    const instance = await driver.instance(request).prepare(never)
    const running = await instance.start(never)
    await end()
    await untilAborted(lossMs, running.gone)
    t.match(running.gone.reason, { context: { where: request.instance, code: 'lost' } })
    await running.stop(never)
    await instance.remove(never)
    t.strictSame(await left(), [])
  })

  t.test(`${name}: a restart that nobody asked for is no loss`, async t => {
    const { driver, request, left, restart, showsRestarts = true } = await open(t)
    const instance = await driver.instance(request).prepare(never)
    const running = await instance.start(never)
    const told: string[] = []
    running.onUnasked?.(({ type }) => void told.push(type))
    await running.look?.(never)
    t.strictSame(told, [])
    await restart?.()
    await running.look?.(never)
    t.strictSame(told, restart !== undefined && showsRestarts ? ['restarted'] : [], 'it is told, once')
    await running.pause?.(never)
    await running.resume?.(never)
    t.notOk(running.gone.aborted)
    await instance.remove(never)
    t.strictSame(await left(), [])
  })
}
