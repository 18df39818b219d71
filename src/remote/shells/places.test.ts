import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { ChannelPlaces, RefusedChannel } from './places.js'

const lost = new AbortController().signal

/** A server that opens so many channels at once, and counts one for a moment after it was closed. */
function server(
  most: number,
  lingersMs = 0,
): { work: (ms: number) => Promise<number>; highest: () => number } {
  let [open, highest] = [0, 0]
  return {
    work: async ms => {
      if (open >= most) {
        throw new RefusedChannel('g', 'open failed')
      }
      open += 1
      highest = Math.max(highest, open)
      await pause(ms)
      void pause(lingersMs).then(() => {
        open -= 1
      })
      return ms
    },
    highest: () => highest,
  }
}

t.test('every command runs, however few channels the server opens', async t => {
  for (const [most, lingersMs] of [
    [1, 0],
    [1, 60],
    [3, 20],
  ] as const) {
    const { work, highest } = server(most, lingersMs)
    const places = new ChannelPlaces({ channels: 8, limitMs: 20_000, lost })
    const ended = await Promise.all(Array.from({ length: 20 }, () => places.run(() => work(5), undefined)))
    t.equal(ended.length, 20)
    t.equal(highest(), most)
  }
})

t.test('a command waits for a long one without a limit of its own', async t => {
  const { work } = server(1)
  const places = new ChannelPlaces({ channels: 8, limitMs: 50, lost })
  t.same(
    await Promise.all([places.run(() => work(600), undefined), places.run(() => work(1), undefined)]),
    [600, 1],
  )
})

t.test('where no channel is open, a refusal is final after the limit', async t => {
  const places = new ChannelPlaces({ channels: 8, limitMs: 200, lost })
  const refuse = async (): Promise<never> => {
    throw new RefusedChannel('g', 'administratively prohibited')
  }
  await t.rejects(places.run(refuse, undefined), {
    name: 'InfraError',
    message: /administratively prohibited; tried again within the limit "channel" of 200 ms/,
    context: { cause: 'guest', code: 'command', limit: 'channel' },
  })
  await t.rejects(
    places.run(async () => {
      throw new Error('another trouble')
    }, undefined),
    { message: 'another trouble' },
    'other trouble is not tried again',
  )
})

t.test('what is held without use is let go of for a command', async t => {
  let open = 0
  const occupy = async (until: Promise<unknown>): Promise<void> => {
    if (open > 0) {
      throw new RefusedChannel('g', 'open failed')
    }
    open += 1
    await until
    open -= 1
  }
  let letGo = (): void => {}
  const asked = new Promise<void>(resolve => {
    letGo = resolve
  })
  const places = new ChannelPlaces({ channels: 8, limitMs: 20_000, lost, makeRoom: () => letGo() })
  const service = places.hold(() => occupy(asked))
  t.equal(open, 1)
  await places.run(() => occupy(pause(1)), undefined)
  await service
  t.equal(open, 0)
})
