import { InfraError } from '../../config/errors.js'
import { anyOf, untilAborted } from '../../deadline/signals.js'
import { abilitiesStep } from './abilities.js'
import {
  type ContractStep,
  type ContractSubject,
  never,
  type Say,
  sayNothingLeft,
  withInstance,
} from './subject.js'

const life: ContractStep = {
  name: 'life',
  title: 'from start to removal, each step twice',
  carryOut: async (subject, say) => {
    const { driver, request, signal } = subject
    await sayNothingLeft(subject, say, 'before')
    const instance = driver.instance(request)
    try {
      const early = await instance.start(signal).then(
        () => null,
        (error: unknown) => error,
      )
      say({ held: early instanceof InfraError, what: 'nothing starts that was not prepared' })
      await instance.prepare(signal)
      await instance.prepare(signal)
      const running = await instance.start(signal)
      say({ held: (await instance.start(signal)) === running, what: 'it is started once' })
      const { host } = (await running.access(signal)).endpoint
      say({ held: host !== '', what: 'it says how the guest is reached' })
      say({ held: instance.keepHint !== '', what: 'it says how a person reaches it' })
      await subject.inside?.untilUp(running)
      say({ held: !running.gone.aborted, what: 'it is not lost' })
      say({ held: (await subject.left()).length > 0, what: 'the host has it' })
      await running.stop(signal)
      await running.stop(signal)
      say({ held: !running.gone.aborted, what: 'an end that was asked for is no loss' })
      await instance.remove(signal)
    } finally {
      await instance.remove(never)
    }
    await sayNothingLeft(subject, say, 'removed twice')
  },
}

const again: ContractStep = {
  name: 'again',
  title: 'what runs is removed without being stopped, and made again',
  carryOut: async (subject, say) => {
    const { signal } = subject
    await withInstance(subject, async instance => {
      await instance.remove(never)
      await (await instance.prepare(signal)).start(signal)
      await instance.remove(never)
      await sayNothingLeft(subject, say, 'removed while it ran')
      const running = await (await instance.prepare(signal)).start(signal)
      say({ held: !running.gone.aborted, what: 'made again, it runs' })
    })
    await sayNothingLeft(subject, say, 'at the end')
  },
}

const whyUnheard: ContractStep['whyNot'] = subject =>
  subject.hearsCommands?.() === false ? 'the commands of this driver pass unheard' : null

const cancelled: ContractStep = {
  name: 'cancelled',
  title: 'cancelled at any command, it leaves nothing',
  whyNot: whyUnheard,
  carryOut: async (subject, say) => {
    let isThrough = false
    for (let step = 1; !isThrough; step += 1) {
      isThrough = await cancelAt(subject, step)
      await sayNothingLeft(subject, say, `cancelled at command ${step}`)
      subject.signal.throwIfAborted()
    }
  },
}

/** True when the instance had started before so many commands were sent. */
async function cancelAt(subject: ContractSubject, step: number): Promise<boolean> {
  const controller = new AbortController()
  const { signal, clear } = anyOf(controller.signal, subject.signal)
  subject.onCommand(number => {
    if (number === step) {
      controller.abort()
    }
  })
  return withInstance(subject, async instance => {
    try {
      await (await instance.prepare(signal)).start(signal)
      return !signal.aborted
    } catch (error) {
      if (!signal.aborted) {
        throw error
      }
      return false
    } finally {
      subject.onCommand(() => {})
      clear()
    }
  })
}

const refused: ContractStep = {
  name: 'refused',
  title: 'whichever command its host refuses, what is half-made goes',
  whyNot: whyUnheard,
  carryOut: async (subject, say) => {
    let commands = 0
    subject.onCommand(() => {
      commands += 1
    })
    const all = await withInstance(subject, async instance => {
      await (await instance.prepare(subject.signal)).start(subject.signal)
      return commands
    })
    subject.onCommand(() => {})
    let mattered = 0
    for (let step = 1; step <= all; step += 1) {
      mattered += (await refuseAt(subject, step, say)) ? 1 : 0
      await sayNothingLeft(subject, say, `refused at command ${step}`)
      subject.signal.throwIfAborted()
    }
    say({ held: mattered > 0, what: `${mattered} of ${all} commands matter` })
  },
}

/** True when the instance could not be made without the command. */
async function refuseAt(subject: ContractSubject, step: number, say: Say): Promise<boolean> {
  const { signal } = subject
  return withInstance(subject, async instance => {
    subject.refuse(step)
    const error = await instance
      .prepare(signal)
      .then(prepared => prepared.start(signal))
      .then(
        () => null,
        (thrown: unknown) => thrown,
      )
    subject.refuse(0)
    if (error !== null) {
      const held = error instanceof InfraError
      say({
        held,
        what: `command ${step}: ${held ? 'an error of the host' : `no error of the host: ${String(error)}`}`,
      })
    }
    return error !== null
  })
}

const early: ContractStep = {
  name: 'early',
  title: 'removed while it is still being made',
  carryOut: async (subject, say) => {
    await withInstance(subject, async instance => {
      const preparing = instance.prepare(subject.signal)
      await instance.remove(never)
      await preparing
    })
    await sayNothingLeft(subject, say, 'removed')
  },
}

const loss: ContractStep = {
  name: 'loss',
  title: 'an end that nobody asked for is a loss, with its cause',
  carryOut: async (subject, say) => {
    const { request, signal, lossMs } = subject
    await withInstance(subject, async instance => {
      const running = await (await instance.prepare(signal)).start(signal)
      await subject.inside?.untilUp(running)
      await subject.end(running)
      await untilAborted(lossMs, running.gone, signal)
      const reason: unknown = running.gone.reason
      const held =
        reason instanceof InfraError &&
        reason.context.where === request.instance &&
        reason.context.code === 'lost'
      const seen = reason instanceof Error ? reason.message : `it was not noticed within ${lossMs} ms`
      say({ held, what: seen })
      await running.stop(signal)
    })
    await sayNothingLeft(subject, say, 'removed')
  },
}

const restart: ContractStep = {
  name: 'restart',
  title: 'a restart that nobody asked for is no loss',
  whyNot: subject => (subject.restart === undefined ? 'nothing can restart it behind the driver' : null),
  carryOut: async (subject, say) => {
    const { signal } = subject
    await withInstance(subject, async instance => {
      const running = await (await instance.prepare(signal)).start(signal)
      await subject.inside?.untilUp(running)
      const told: string[] = []
      running.onUnexpected?.(({ type }) => void told.push(type))
      await running.look?.(signal)
      say({ held: told.length === 0, what: 'nothing is told of what did not happen' })
      await subject.restart?.(running)
      await running.look?.(signal)
      if (subject.inside === undefined) {
        // A guest that reboots by itself is nobody else's doing: of that a driver may say nothing.
        const wanted = subject.restart !== undefined && subject.showsRestarts !== false ? 'restarted' : ''
        say({ held: told.join() === wanted, what: `told once: ${told.join() || 'nothing'}` })
      }
      await running.pause?.(signal)
      await running.resume?.(signal)
      await subject.inside?.untilUp(running)
      const reason: unknown = running.gone.reason
      const held = !running.gone.aborted
      say({
        held,
        what: held ? 'it is not lost' : `it is a loss: ${reason instanceof Error ? reason.message : reason}`,
      })
    })
    await sayNothingLeft(subject, say, 'removed')
  },
}

/** What every driver must do, whatever it drives. */
export const contractSteps: readonly ContractStep[] = [
  life,
  again,
  abilitiesStep,
  cancelled,
  refused,
  early,
  loss,
  restart,
]
