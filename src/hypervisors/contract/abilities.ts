import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ability, RunningGuest } from '../driver.js'
import { callsOfAbilities } from './calls.js'
import { type ContractStep, type ContractSubject, type Say, withInstance } from './subject.js'

/** Enough for every format of a disk. */
const diskBytes = 16 * 2 ** 20
/** What is set where the lab does not say what the guest has. */
const usualMemoryBytes = 2 ** 28
const memoryUnit = 2 ** 20
const usualVcpus = 2

interface Trial {
  readonly subject: ContractSubject
  readonly running: RunningGuest
  readonly signal: AbortSignal
  /** Which round it is, from 1. */
  readonly round: number
  readonly say: Say
  /** Resolves when the guest answers, where there is one to ask. */
  up(): Promise<void>
}

interface Piece {
  readonly ability: Ability
  readonly what: string
  work(trial: Trial): Promise<void>
}

/** Each call twice: every call of the contract may be repeated. The order matters: a snapshot is reverted to later. */
const pieces: readonly Piece[] = [
  {
    ability: 'pause',
    what: 'paused twice, resumed twice',
    work: async ({ running, signal, up }) => {
      await running.pause?.(signal)
      await running.pause?.(signal)
      await running.resume?.(signal)
      await running.resume?.(signal)
      await up()
    },
  },
  {
    ability: 'stop',
    what: 'powered off and on, shut down while paused, started again, each twice',
    work: async ({ running, signal, up }) => {
      await running.powerOff?.(signal)
      await running.powerOff?.(signal)
      await running.powerOn?.(signal)
      await running.powerOn?.(signal)
      await up()
      await running.pause?.(signal)
      await running.shutdown?.(signal)
      await running.shutdown?.(signal)
      await running.powerOn?.(signal)
      await up()
    },
  },
  {
    ability: 'reset',
    what: 'reset',
    work: async ({ running, signal, up }) => {
      await running.reset?.(signal)
      await up()
    },
  },
  {
    ability: 'snapshot',
    what: 'a snapshot is taken twice under one name',
    work: async ({ running, signal }) => {
      await running.snapshot?.('one', signal)
      await running.snapshot?.('one', signal)
    },
  },
  {
    ability: 'attach-disk',
    what: 'a disk is added and taken away',
    work: async ({ running, signal, up }) => {
      const disk = await running.attachDisk?.(diskBytes, signal)
      await running.detachDisk?.(disk?.serial ?? '', signal)
      await up()
    },
  },
  {
    ability: 'attach-nic',
    what: 'a network card is added and taken away',
    work: async ({ running, signal, up }) => {
      const card = await running.attachNic?.(signal)
      await running.detachNic?.(card?.mac ?? '', signal)
      await up()
    },
  },
  { ability: 'revert', what: 'what was written after the snapshot is gone', work: revert },
  {
    ability: 'snapshot',
    what: 'the snapshot is deleted twice',
    work: async ({ running, signal }) => {
      await running.deleteSnapshot?.('one', signal)
      await running.deleteSnapshot?.('one', signal)
    },
  },
  {
    ability: 'set-vcpus',
    what: 'one virtual CPU, and all of them again',
    work: async ({ running, signal, subject, up }) => {
      await running.setVcpus?.(1, signal)
      await running.setVcpus?.(subject.request.placement.configuration.vcpus ?? usualVcpus, signal)
      await up()
    },
  },
  {
    ability: 'set-memory',
    what: 'three quarters of the memory, and all of it again',
    work: async ({ running, signal, subject, up }) => {
      const all = subject.request.placement.configuration.memoryBytes ?? usualMemoryBytes
      await running.setMemory?.(Math.floor((all * 3) / 4 / memoryUnit) * memoryUnit, signal)
      await running.setMemory?.(all, signal)
      await up()
    },
  },
  {
    ability: 'migrate',
    what: 'moved there and back',
    work: async ({ running, signal, say, round, up }) => {
      const here = (await running.migrate?.(signal))?.host
      const there = (await running.migrate?.(signal))?.host
      say({ of: 'migrate', held: here !== there, what: `round ${round}: from ${here} to ${there}` })
      await up()
    },
  },
  {
    ability: 'screenshot',
    what: 'a picture is taken',
    work: async ({ running, signal, subject, say, round }) => {
      const name = (await running.screenshot?.(signal)) ?? ''
      const { size } = await stat(join(subject.request.evidenceFolder, name))
      say({ of: 'screenshot', held: size > 0, what: `round ${round}: ${name} has ${size} bytes` })
    },
  },
]

/** What its guest does with one is its own: nothing is asked of it afterwards. */
const last: Piece = {
  ability: 'nmi',
  what: 'an NMI is injected',
  work: async ({ running, signal }) => running.nmi?.(signal),
}

const rounds = [1, 2] as const

/** Whether a driver offers just the calls of its abilities, and whether each of them works, also twice. */
export const abilitiesStep: ContractStep = {
  name: 'abilities',
  title: 'it offers what it has the abilities for, and each works, also twice',
  carryOut: (subject, say) =>
    withInstance(subject, async instance => {
      const { driver, request, signal } = subject
      const running = await (await instance.prepare(signal)).start(signal)
      const offered: ReadonlySet<Ability> = driver.abilities(request.placement)
      sayOffers(running, offered, say)
      await subject.inside?.untilUp(running)
      for (const round of rounds) {
        const up = async (): Promise<void> => subject.inside?.untilUp(running)
        const trial = { subject, running, signal, round, say, up }
        for (const piece of round === rounds[1] ? [...pieces, last] : pieces) {
          if (offered.has(piece.ability) && !(await tried(piece, trial))) {
            return
          }
        }
      }
      await running.stop(signal)
    }),
}

function sayOffers(running: RunningGuest, offered: ReadonlySet<Ability>, say: Say): void {
  for (const [ability, methods] of Object.entries(callsOfAbilities) as [Ability, (keyof RunningGuest)[]][]) {
    for (const method of methods) {
      const held = (typeof running[method] === 'function') === offered.has(ability)
      const what = offered.has(ability) ? `${method} is offered` : `${method} is not offered`
      say({
        held,
        what: held ? what : `${method}: what is offered is not what its abilities say`,
        ...(offered.has(ability) ? { of: ability } : {}),
      })
    }
  }
}

/** Tries one ability; false when nothing further can be tried, because the machine is gone. */
async function tried({ ability, what, work }: Piece, trial: Trial): Promise<boolean> {
  const { running, say, round, signal } = trial
  const why = await work(trial).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  signal.throwIfAborted()
  say({ of: ability, held: why === null, what: `round ${round}: ${what}${why === null ? '' : `: ${why}`}` })
  if (!running.gone.aborted) {
    return true
  }
  const reason: unknown = running.gone.reason
  say({
    of: ability,
    held: false,
    what: `round ${round}: it is a loss: ${reason instanceof Error ? reason.message : reason}`,
  })
  return false
}

async function revert({ subject, running, signal, round, say, up }: Trial): Promise<void> {
  const { inside } = subject
  const name = `after-${round}`
  await inside?.mark(running, name)
  if (inside !== undefined && !(await inside.isMarked(running, name))) {
    throw new Error('the marker that was written before is not there: a revert would show nothing')
  }
  await running.revert?.('one', signal)
  await up()
  if (inside !== undefined) {
    const held = !(await inside.isMarked(running, name))
    say({ of: 'revert', held, what: `round ${round}: the marker ${held ? 'is gone' : 'is still there'}` })
  }
}
