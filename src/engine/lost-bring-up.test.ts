import t from 'tap'
import { defaultLimits } from '../config/limits.js'
import type { EventBody } from '../journal/events.js'
import { lostBeforeBegin } from '../results/judge.js'
import { describeTrouble } from './cause.js'
import type { Progress } from './environment.js'
import { type LostInstance, reopenBringUp } from './lost-bring-up.js'
import { judgeUnbegun } from './outcome.js'

t.test('a guest that broke before any test had begun failed its bring-up', async t => {
  const said: EventBody[] = []
  const progress = { bringUps: 1, boot: null } as Partial<Progress> as Progress
  const lost = lostBeforeBegin(
    judgeUnbegun({ loss: { cause: 'guest', message: 'the guest rebooted unexpectedly' } }),
  )
  t.same(lost, { cause: 'guest', message: 'the guest rebooted unexpectedly' })
  const error = reopenBringUp(lost ?? { cause: 'unknown', message: '' }, {
    environment: { id: 'e' },
    instance: 'gc-1',
    progress,
    settings: { plan: { limits: defaultLimits }, emit: (event: EventBody) => void said.push(event) },
  } as unknown as LostInstance)
  t.equal(describeTrouble(error).retryable, false)
  progress.boot?.failed(describeTrouble(error), true)
  t.match(
    said.filter(({ type }) => type !== 'check'),
    [
      { type: 'test-started', test: 'guestcert/boot', attempt: 2, instance: 'gc-1' },
      {
        type: 'test-ended',
        test: 'guestcert/boot',
        attempt: 2,
        verdict: 'fail',
        cause: 'guest',
        reason: 'before any test had begun: the guest rebooted unexpectedly',
        checks: { notOk: 1 },
      },
    ],
  )
})

t.test('what a test could not begin for another reason is no loss', async t => {
  t.equal(lostBeforeBegin(judgeUnbegun({ ending: { kind: 'threw', cause: 'test', message: 'x' } })), null)
})
