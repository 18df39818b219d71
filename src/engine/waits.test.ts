import t from 'tap'
import type { EventBody, Waiting } from '../journal/events.js'
import { Waits } from './waits.js'

const wait = { environment: 'e', what: 'the guest to answer', limit: 'boot', limitMs: 60_000 }

/** Collects what is said, and resolves once that is so much. */
function listener(): {
  emit: (event: EventBody) => void
  said: Waiting[]
  heard: (n: number) => Promise<void>
} {
  const said: Waiting[] = []
  let check = (): void => {}
  return {
    said,
    emit: event => {
      if (event.type === 'waiting') {
        said.push(event)
        check()
      }
    },
    heard: count =>
      new Promise(resolve => {
        check = () => {
          if (said.length >= count) resolve()
        }
        check()
      }),
  }
}

/** Timers of waits hold no process up: something else must. */
async function awake<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 1000)
  return work.finally(() => clearInterval(timer))
}

t.test('a look that shows a wait is said at once, with since when and until when', async t => {
  const { emit, said } = listener()
  const waits = new Waits(emit, 60_000)
  waits.begin(wait)
  waits.saw('connect ECONNREFUSED')
  waits.saw('connect ECONNREFUSED')
  waits.end()
  t.match(said, [{ type: 'waiting', what: 'the guest to answer: connect ECONNREFUSED', limit: 'boot' }])
  t.equal(said.length, 1, 'and not again before the interval is over')
  const [{ since = '', until = '' } = {}] = said
  t.equal(Date.parse(until) - Date.parse(since), 60_000)
})

t.test('it is said again as long as it lasts, with the newest look, and no longer', async t => {
  const { emit, said, heard } = listener()
  const waits = new Waits(emit, 20)
  waits.begin(wait)
  await awake(heard(1))
  t.equal(said[0]?.what, 'the guest to answer', 'without any look, too')
  waits.saw('No route to host')
  await awake(heard(3))
  t.equal(said.at(-1)?.what, 'the guest to answer: No route to host')
  t.equal(new Set(said.map(({ since }) => since)).size, 1, 'one wait has one beginning')
  waits.begin({ ...wait, what: 'the facts' })
  const before = said.length
  await awake(heard(before + 1))
  t.equal(said.at(-1)?.what, 'the facts', 'the next wait knows nothing of the looks of the one before')
  waits.end()
  const count = said.length
  waits.saw('late')
  t.equal(said.length, count)
})

t.test('what ends soon is not said', async t => {
  const { emit, said } = listener()
  const waits = new Waits(emit, 60_000)
  waits.begin(wait)
  waits.end()
  t.same(said, [])
})
